// SPDX-License-Identifier: Apache-2.0
//
// Clients of http_server by node: its own of HTTP/1.1 and HTTP/2, fetch, and the
// package undici if that is installed.
//
//   node node_clients.mjs CASE ORIGIN [CA-FILE]
//
// Exit code 0: all was as it should be. 3: the case needs a package.

import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import {createRequire} from 'node:module';
import {Readable} from 'node:stream';
import {crc32 as crc32Or} from 'node:zlib';

const kNeedsPackage = 3;
const [name, origin, caFile] = process.argv.slice(2);
const ca = caFile === undefined ? undefined : readFileSync(caFile);
const kHello = 'Hello, World!';

// Not every node has one.
const crc32 = crc32Or ?? ((bytes) => {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let i = 0; i < 8; ++i) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
});

function uploaded(content) {
  return {bytes: content.length, crc32: crc32(content).toString(16).padStart(8, '0')};
}

// A package beside NODE_PATH, or the end of the process.
function needPackage(wanted) {
  try {
    return createRequire(import.meta.url)(wanted);
  } catch {
    process.exit(kNeedsPackage);
  }
}

async function textOf(stream) {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

// --- HTTP/1.1, by node:http.

async function ask(agent, path, options = {}, body = undefined) {
  const request = http.request(origin + path, {agent, ...options});
  if (Array.isArray(body)) {
    for (const piece of body) request.write(piece);
    request.end();
  } else {
    request.end(body);
  }
  const [response] = await once(request, 'response');
  return {
    status: response.statusCode,
    headers: response.headers,
    text: await textOf(response),
    reused: request.reusedSocket,
  };
}

async function keepAlive() {
  const agent = new http.Agent({keepAlive: true, maxSockets: 1});
  for (let i = 0; i < 50; ++i) {
    const answer = await ask(agent, '/hello', {method: i % 3 === 1 ? 'HEAD' : 'GET'});
    assert.equal(answer.status, 200);
    assert.equal(answer.text, i % 3 === 1 ? '' : kHello);
    assert.equal(answer.headers['content-length'], '13');
    assert.equal(answer.reused, i > 0);
  }
  const refused = await ask(agent, '/hello', {method: 'DELETE'});
  assert.equal(refused.status, 405);
  assert.match(refused.headers.allow, /GET/);
  assert.equal((await ask(agent, '/hello')).reused, true);
  agent.destroy();
}

async function uploads() {
  const agent = new http.Agent({keepAlive: true, maxSockets: 1});
  for (const size of [0, 1, 16384, 1_000_003]) {
    const content = randomBytes(size);
    const pieces = [];
    for (let i = 0; i < size; i += 70_001) pieces.push(content.subarray(i, i + 70_001));
    const length = {'Content-Length': size};
    for (const [headers, body] of [[length, content], [{}, pieces]]) {
      const answer = await ask(agent, '/upload', {method: 'POST', headers}, body);
      assert.deepEqual(JSON.parse(answer.text), uploaded(content));
    }
  }
  agent.destroy();
}

async function expectations() {
  const content = randomBytes(100_000);
  const agent = new http.Agent({keepAlive: true, maxSockets: 1});
  const headers = {'Expect': '100-continue', 'Content-Length': content.length};
  for (let i = 0; i < 3; ++i) {
    const request = http.request(origin + '/upload', {agent, method: 'PUT', headers});
    request.flushHeaders();
    await once(request, 'continue');
    request.end(content);
    const [response] = await once(request, 'response');
    assert.deepEqual(JSON.parse(await textOf(response)), uploaded(content));
  }
  // What nobody wants is not asked for.
  const request = http.request(origin + '/hello', {agent, method: 'PUT', headers});
  let continued = false;
  request.on('continue', () => continued = true);
  request.on('error', () => {});
  request.flushHeaders();
  const [response] = await once(request, 'response');
  assert.equal(response.statusCode, 405);
  assert.equal(continued, false);
  request.destroy();
  agent.destroy();
}

async function aborts() {
  for (let i = 0; i < 30; ++i) {
    const request = http.request(origin + '/upload', {method: 'POST'});
    request.on('error', () => {});
    request.write(randomBytes(i * 1000));
    await new Promise((resolve) => setTimeout(resolve, i % 5));
    request.destroy();
  }
  for (let i = 0; i < 30; ++i) {
    const request = http.get(origin + (i % 2 === 0 ? '/events' : '/big'));
    request.on('error', () => {});
    const [response] = await once(request, 'response');
    response.on('error', () => {});
    await once(response, 'data');
    response.destroy();
  }
  assert.equal((await ask(undefined, '/hello')).text, kHello);
}

async function fetchEvents() {
  const controller = new AbortController();
  const response = await fetch(origin + '/events', {signal: controller.signal});
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  let text = '';
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.includes('tick 1\n\n')) break;
  }
  assert.equal(text, 'id: 0\ndata: tick 0\n\nid: 1\ndata: tick 1\n\n');
  controller.abort();
}

async function fetchMuch() {
  const answers = Array.from({length: 200}, async (_, i) => {
    if (i % 4 !== 0) return assert.equal(await (await fetch(origin + '/hello')).text(), kHello);
    const content = randomBytes(i * 997);
    const streamed = i % 8 === 0 ? content : Readable.toWeb(Readable.from([content]));
    const response = await fetch(origin + '/upload',
                                 {method: 'PUT', body: streamed, duplex: 'half'});
    assert.deepEqual(await response.json(), uploaded(content));
  });
  await Promise.all(answers);
}

// --- The package undici.

async function undiciPipelines() {
  const {Client} = needPackage('undici');
  const client = new Client(origin, {pipelining: 10});
  let n_connections = 0;
  client.on('connect', () => ++n_connections);
  const answers = Array.from({length: 300}, async (_, i) => {
    const path = i % 11 === 5 ? '/none' : '/hello';
    // Not HEAD: it closes connections after those.
    const {statusCode, body} = await client.request({path, method: 'GET'});
    assert.equal(statusCode, path === '/hello' ? 200 : 404);
    const text = await body.text();
    if (path === '/hello') assert.equal(text, kHello);
  });
  await Promise.all(answers);
  assert.equal(n_connections, 1);
  await client.close();
}

async function undiciHttp2() {
  const {Agent, fetch} = needPackage('undici');
  const dispatcher = new Agent({allowH2: true, connections: 2, connect: {ca}});
  const answers = Array.from({length: 100}, async (_, i) => {
    if (i % 5 !== 0) {
      const response = await fetch(origin + '/hello', {dispatcher});
      return assert.equal(await response.text(), kHello);
    }
    // Not empty: it would never end the stream.
    const content = randomBytes(i * 997 + 1);
    const response = await fetch(origin + '/upload', {dispatcher, method: 'PUT', body: content});
    assert.deepEqual(await response.json(), uploaded(content));
  });
  await Promise.all(answers);
  const head = await fetch(origin + '/big', {dispatcher, method: 'HEAD'});
  assert.equal(head.status, 200);
  assert.equal(await head.text(), '');
  await dispatcher.destroy();
}

async function undiciWebSocket() {
  const {WebSocket} = needPackage('undici');
  const socket = new WebSocket(origin.replace('http', 'ws') + '/echo');
  socket.binaryType = 'arraybuffer';
  await once(socket, 'open');
  for (const size of [0, 1, 125, 126, 65535, 65536, 500_000]) {
    const content = randomBytes(size);
    socket.send(content);
    const [{data}] = await once(socket, 'message');
    assert.ok(content.equals(Buffer.from(data)));
    socket.send('é'.repeat(size / 10));
    const [{data: text}] = await once(socket, 'message');
    assert.equal(text, 'é'.repeat(size / 10));
  }
  socket.close(1000, 'done');
  const [{code, wasClean}] = await once(socket, 'close');
  assert.equal(code, 1000);
  assert.equal(wasClean, true);
}

// --- WebSockets, by the package ws, which shows frames.

async function wsSockets() {
  const {WebSocket} = needPackage('ws');
  const url = origin.replace('http', 'ws') + '/echo';
  const open = async (...options) => {
    const socket = new WebSocket(url, ...options);
    await once(socket, 'open');
    return socket;
  };
  const socket = await open({perMessageDeflate: true});
  assert.equal(socket.extensions, '');
  socket.ping('are you there');
  const [answer] = await once(socket, 'pong');
  assert.equal(answer.toString(), 'are you there');
  // A message in fragments, with a ping between them.
  socket.send('Hel', {fin: false});
  socket.ping('1');
  socket.send('l', {fin: false});
  socket.send('o', {fin: true});
  const [whole, isBinary] = await once(socket, 'message');
  assert.equal(whole.toString(), 'Hello');
  assert.equal(isBinary, false);
  const large = randomBytes(1024 * 1024);
  socket.send(large);
  const [echo, echoIsBinary] = await once(socket, 'message');
  assert.ok(large.equals(echo));
  assert.equal(echoIsBinary, true);
  socket.close(4321, 'why');
  const [code] = await once(socket, 'close');
  assert.equal(code, 4321);

  const closedBy = async (send) => {
    const victim = await open({skipUTF8Validation: true});
    send(victim);
    const [reason] = await once(victim, 'close');
    return reason;
  };
  assert.equal(await closedBy((s) => s.send(randomBytes(1024 * 1024 + 1))), 1009);
  assert.equal(await closedBy((s) => s.send(Buffer.from([0xff]), {binary: false})), 1007);
  assert.equal(await closedBy((s) => s.send('a', {mask: false})), 1002);

  // Many at a time.
  const sockets = await Promise.all(Array.from({length: 50}, () => open()));
  await Promise.all(sockets.map(async (one, i) => {
    one.send(`socket ${i}`);
    const [text] = await once(one, 'message');
    assert.equal(text.toString(), `socket ${i}`);
    one.close();
    await once(one, 'close');
  }));
}

// --- HTTP/2, by node:http2.

async function askHttp2(session, headers, body = undefined) {
  const request = session.request(headers, {endStream: body === undefined});
  const response = once(request, 'response');
  if (body !== undefined) request.end(body);
  const [head] = await response;
  return {status: head[':status'], head, text: await textOf(request)};
}

async function http2Session() {
  const session = http2.connect(origin, {ca});
  session.on('error', (error) => { throw error; });
  await once(session, 'remoteSettings');
  assert.equal(session.remoteSettings.maxConcurrentStreams, 100);
  await new Promise((resolve, reject) => session.ping(
      Buffer.from('12345678'), (error) => error ? reject(error) : resolve()));
  const content = randomBytes(1_000_003);
  const answers = Array.from({length: 90}, async (_, i) => {
    if (i % 10 !== 0) {
      const answer = await askHttp2(session, {':path': '/hello'});
      return assert.equal(answer.text, kHello);
    }
    const part = content.subarray(0, i * 11_000);
    const answer = await askHttp2(session, {':path': '/upload', ':method': 'PUT'}, part);
    assert.deepEqual(JSON.parse(answer.text), uploaded(part));
  });
  await Promise.all(answers);
  const head = await askHttp2(session, {':path': '/big', ':method': 'HEAD'});
  assert.equal(head.status, 200);
  assert.equal(head.text, '');
  assert.ok(Number(head.head['content-length']) > 0);
  const refused = await askHttp2(session, {':path': '/hello', ':method': 'DELETE'});
  assert.equal(refused.status, 405);

  const expecting = session.request(
      {':path': '/upload', ':method': 'PUT', 'expect': '100-continue'}, {endStream: false});
  await once(expecting, 'continue');
  expecting.end(content);
  assert.deepEqual(JSON.parse(await textOf(expecting)), uploaded(content));

  const events = session.request({':path': '/events'});
  const [first] = await once(events, 'data');
  assert.equal(first.toString(), 'id: 0\ndata: tick 0\n\n');
  events.close(http2.constants.NGHTTP2_CANCEL);
  await once(events, 'close');

  // Not read, so that its window closes; then given up.
  const aborted = session.request({':path': '/big'});
  await once(aborted, 'response');
  aborted.close(http2.constants.NGHTTP2_CANCEL);
  const upload = session.request({':path': '/upload', ':method': 'PUT'}, {endStream: false});
  upload.on('error', () => {});
  upload.write(content);
  upload.close(http2.constants.NGHTTP2_CANCEL);
  assert.equal((await askHttp2(session, {':path': '/hello'})).text, kHello);
  session.close();
  await once(session, 'close');
}

const cases = {
  keepAlive, uploads, expectations, aborts, fetchEvents, fetchMuch,
  undiciPipelines, undiciHttp2, undiciWebSocket, wsSockets,
  http2Session,
};
await cases[name]();
process.exit(0);
