# SPDX-License-Identifier: Apache-2.0
"""Commands of packaged servers, each with one process and a configuration of our own.

For echo_compare.running(), which gives the address and ends them.
"""

import os

_NGINX = '''
daemon off; master_process off; error_log stderr; pid {folder}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
  {log}; keepalive_requests 1000000000; client_body_temp_path {folder};
  proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder};
  scgi_temp_path {folder};
  sendfile on; tcp_nopush on; open_file_cache max=1000; default_type text/plain;
  server {{
    listen ADDRESS {listen};
    {tls}
    location = /hello {{ return 200 "Hello, World!"; }}
    location = /short {{ return 200 "{short}"; }}
    location / {{ root {folder}; }}
  }}
}}
'''

_H2O = '''
num-threads: 1
pid-file: {folder}/h2o.pid
error-log: {folder}/h2o.log
listen:
  host: 127.0.0.1
  port: PORT
{tls}
hosts:
  default:
    paths:
      /:
        file.dir: {folder}
{log}
'''


def _from_template(folder, name, text, command):
    """A command whose configuration, for want of a flag, gets the address by sed."""
    file = os.path.join(folder, name)
    with open(file + '.in', 'w') as template:
        template.write(text)
    return ['sh', '-c', 'sed "s/ADDRESS/$1/; s/PORT/$2/" $0.in > $0 && exec ' + command, file,
            '{address}', '{port}']


def nginx(program, folder, cert=None, key=None, http2=False, access_log=False):
    """Serves `folder`, /hello with 13 bytes and /short with 64."""
    listen = ' '.join((['ssl'] if cert else []) + (['http2'] if http2 else []))
    tls = 'ssl_certificate %s; ssl_certificate_key %s; ssl_protocols TLSv1.2 TLSv1.3;' % (
        cert, key) if cert else ''
    log = 'access_log %s/nginx.access combined buffer=64k' % folder if access_log else 'access_log off'
    return _from_template(folder, 'nginx.conf', _NGINX.format(
        folder=folder, listen=listen, tls=tls, log=log, short='x' * 64),
                          '%s -p %s -c $0' % (program, folder))


def h2o(program, folder, cert=None, key=None, access_log=False):
    """Serves `folder`."""
    tls = '  ssl:\n    certificate-file: %s\n    key-file: %s' % (cert, key) if cert else ''
    log = 'access-log: %s/h2o.access' % folder if access_log else ''
    return _from_template(folder, 'h2o.conf', _H2O.format(folder=folder, tls=tls, log=log),
                          program + ' -m worker -c $0')
