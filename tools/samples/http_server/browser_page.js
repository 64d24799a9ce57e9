// SPDX-License-Identifier: Apache-2.0
//
// The checks of browser_page.html. The title becomes "done" when all have ended;
// each writes "NAME: ok", or why it failed, into the list.

function assertEqual(actual, wanted) {
  if (actual !== wanted) throw new Error(`${actual} instead of ${wanted}`);
}

async function protocol() {
  const used = performance.getEntriesByType('navigation')[0].nextHopProtocol;
  assertEqual(used, location.protocol === 'https:' ? 'h2' : 'http/1.1');
}

async function image() {
  const element = document.getElementById('image');
  await element.decode();
  assertEqual(`${element.naturalWidth}x${element.naturalHeight}`, '5x3');
}

async function style() {
  assertEqual(getComputedStyle(document.body).color, 'rgb(1, 2, 3)');
}

async function requests() {
  assertEqual(await (await fetch('/hello')).text(), 'Hello, World!');
  assertEqual((await (await fetch('/api/worker')).json()).worker >= 0, true);
  const part = await fetch('/style.css', {headers: {'Range': 'bytes=0-3'}});
  assertEqual(part.status, 206);
  assertEqual(await part.text(), 'body');
  assertEqual((await fetch('/hello', {method: 'HEAD'})).headers.get('content-length'), '13');
  assertEqual((await fetch('/hello', {method: 'DELETE'})).status, 405);
  assertEqual((await fetch('/none')).status, 404);
}

// More than the connections that a browser opens.
async function manyRequests() {
  const answers = Array.from({length: 100}, () => fetch('/hello').then((r) => r.text()));
  for (const answer of await Promise.all(answers)) assertEqual(answer, 'Hello, World!');
}

async function uploads() {
  for (const size of [0, 1, 1_000_000]) {
    const response = await fetch('/upload', {method: 'PUT', body: new Uint8Array(size)});
    assertEqual((await response.json()).bytes, size);
  }
}

async function aborts() {
  for (let i = 0; i < 10; ++i) {
    const controller = new AbortController();
    const response = await fetch('/events', {signal: controller.signal});
    await response.body.getReader().read();
    controller.abort();
  }
}

function events() {
  return new Promise((resolve, reject) => {
    const source = new EventSource('/events');
    const heard = [];
    source.onerror = () => reject(new Error('the connection was lost'));
    source.onmessage = (event) => {
      heard.push(`${event.lastEventId}=${event.data}`);
      if (heard.length < 3) return;
      source.close();
      try {
        resolve(assertEqual(heard.join(), '0=tick 0,1=tick 1,2=tick 2'));
      } catch (error) {
        reject(error);
      }
    };
  });
}

function webSocket() {
  return new Promise((resolve, reject) => {
    const url = new URL('/echo', location.href);
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    const sent = ['hello', new Uint8Array(100_000).fill(7), ''];
    const heard = [];
    socket.onopen = () => sent.forEach((message) => socket.send(message));
    socket.onerror = () => reject(new Error('the connection failed'));
    socket.onmessage = ({data}) => {
      heard.push(typeof data === 'string' ? data : new Uint8Array(data));
      if (heard.length === sent.length) socket.close(1000, 'done');
    };
    socket.onclose = ({code, wasClean}) => {
      try {
        assertEqual(heard.map(String).join('|'), sent.map(String).join('|'));
        assertEqual(`${code} ${wasClean}`, '1000 true');
        resolve();
      } catch (error) {
        reject(error);
      }
    };
  });
}

const checks = {
  protocol, image, style, requests, manyRequests, uploads, aborts, events, webSocket,
};

for (const [name, check] of Object.entries(checks)) {
  let result = 'ok';
  try {
    await check();
  } catch (error) {
    result = String(error);
  }
  const line = document.createElement('li');
  line.textContent = `${name}: ${result}`;
  document.getElementById('results').append(line);
}
document.title = 'done';
