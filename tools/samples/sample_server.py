# SPDX-License-Identifier: Apache-2.0
"""A sample server as a process, for tests that are its clients."""

import os
import re
import signal
import subprocess
import tempfile
import time

_PATIENCE_SECONDS = 60


class Server:
    """A sample server that is ended with the block."""

    def __init__(self, program, *flags, inherited=None):
        """`inherited`: a listening socket, passed as a service manager does."""
        self.output = tempfile.NamedTemporaryFile('w+')
        command = [program, *flags]
        environment = dict(os.environ)
        pass_fds = ()
        if inherited is not None:
            fd = inherited.fileno()
            pass_fds = (fd,)
            environment.update(LISTEN_FDS='1', LISTEN_FDNAMES='web')
            move = '' if fd == 3 else ' 3<&%d %d<&-' % (fd, fd)
            # LISTEN_PID is the process that the variables are for.
            command = ['bash', '-c', 'LISTEN_PID=$$ exec "$@"' + move, 'bash', *command]
        self.process = subprocess.Popen(command, stdout=self.output, stderr=subprocess.STDOUT,
                                        pass_fds=pass_fds, env=environment)

    def __enter__(self):
        self.line('backend: ')
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.output.close()

    def said(self):
        # Not by the descriptor that the process has: its position is the same.
        with open(self.output.name) as said:
            return said.read()

    def line(self, begin):
        """What follows `begin` in the first line that begins so; waits for it."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            found = re.search('^%s(.*)\n' % begin, self.said(), re.MULTILINE)
            if found:
                return found.group(1)
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError('no %r: %s' % (begin, self.said()))
            time.sleep(0.01)

    def stop(self):
        """Its exit code after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=_PATIENCE_SECONDS)
