/** Firefox of this machine (Debian: firefox-esr, xvfb), over WebDriver BiDi. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { callText, type Driver, findProgram, mouseActions, WINDOW } from './driver.ts';
import { ended, says } from './program.ts';
import { hasScreen, openScreen } from './xvfb.ts';

const PROGRAM = findProgram('firefox-esr');

export const hasFirefox = PROGRAM !== undefined && hasScreen;

// Without a GPU, Firefox draws WebGL in software only when told to.
const PREFERENCES = `
user_pref("webgl.force-enabled", true);
user_pref("ui.prefersReducedMotion", 1);
`;

// biome-ignore lint/suspicious/noExplicitAny: answers of the protocol
type Answer = any;

/** Commands and their answers. */
class Session {
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private count = 0;

  constructor(private readonly socket: WebSocket) {
    socket.on('message', (data) => {
      const answer = JSON.parse(String(data));
      this.waiting.get(answer.id)?.(answer);
      this.waiting.delete(answer.id);
    });
    socket.on('close', () => {
      for (const answer of this.waiting.values()) {
        answer({ type: 'error', error: 'closed', message: 'Firefox has ended' });
      }
    });
  }

  /** @throws Error as the browser says it */
  call(method: string, params: object): Promise<Answer> {
    const id = ++this.count;
    this.socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve, reject) => {
      this.waiting.set(id, ({ type, result, error, message }) => {
        if (type === 'success') resolve(result);
        else reject(new Error(`${method}: ${error}: ${message}`));
      });
    });
  }
}

export async function launchFirefox(): Promise<Driver> {
  const profile = mkdtempSync(join(tmpdir(), 'vivarium-firefox-'));
  writeFileSync(join(profile, 'user.js'), PREFERENCES);
  const screen = await openScreen();
  // Headless, it has no WebGL.
  const args = ['--no-remote', '--profile', profile, '--remote-debugging-port', '0'];
  const program = spawn(PROGRAM!, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: screen.env,
  });
  const [, address] = await says(program, program.stderr, /listening on (ws:\S+)/);
  const socket = new WebSocket(`${address}/session`);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const session = new Session(socket);
  await session.call('session.new', { capabilities: {} });
  const { context } = await session.call('browsingContext.create', { type: 'tab' });
  await session.call('browsingContext.setViewport', { context, viewport: WINDOW });
  return {
    open: (url) => session.call('browsingContext.navigate', { context, url, wait: 'complete' }),
    run: async (call, ...values) => {
      const expression = `Promise.resolve(${callText(call, values)}).then(JSON.stringify)`;
      const { type, result, exceptionDetails } = await session.call('script.evaluate', {
        ...{ expression, target: { context }, awaitPromise: true },
      });
      if (type === 'exception') throw new Error(exceptionDetails.text);
      return result.value === undefined ? undefined : JSON.parse(result.value);
    },
    drag: (path) => session.call('input.performActions', { context, actions: mouseActions(path) }),
    picture: async () => {
      const { data } = await session.call('browsingContext.captureScreenshot', { context });
      return Buffer.from(data, 'base64');
    },
    close: async () => {
      program.kill();
      await ended(program);
      await screen.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
