/** WebKitGTK of this machine (Debian: webkit2gtk-driver, xvfb), over WebDriver. */
import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../free-port.ts';
import { callText, type Driver, findProgram, mouseActions, WINDOW } from './driver.ts';
import { ended } from './program.ts';
import { hasScreen, openScreen } from './xvfb.ts';

const PROGRAM = findProgram('WebKitWebDriver');

export const hasWebKit = PROGRAM !== undefined && hasScreen;

export async function launchWebKit(): Promise<Driver> {
  const screen = await openScreen();
  const port = await freePort();
  const program = spawn(PROGRAM!, [`--port=${port}`, '--host=127.0.0.1'], {
    stdio: 'ignore',
    env: screen.env,
  });

  /** @throws Error as the driver says it */
  // biome-ignore lint/suspicious/noExplicitAny: answers of the protocol
  const send = async (method: string, path: string, body?: object): Promise<any> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { 'Content-Type': 'application/json' },
      body: body ? JSON.stringify(body) : null,
    });
    const { value } = (await answer.json()) as { value: { error?: string; message?: string } };
    if (!answer.ok) throw new Error(`${path}: ${value.error}: ${value.message}`);
    return value;
  };
  while (!(await send('GET', '/status').catch(() => undefined))) {
    if (program.exitCode !== null) throw new Error('WebKitWebDriver has ended');
    await pause(50);
  }
  const { sessionId } = await send('POST', '/session', { capabilities: { alwaysMatch: {} } });
  const session = `/session/${sessionId}`;
  const patience = { script: 600_000, pageLoad: 600_000 };
  await send('POST', `${session}/timeouts`, patience);
  // Its toolbar takes some of it.
  await send('POST', `${session}/window/rect`, { ...WINDOW, height: WINDOW.height + 60 });
  return {
    open: (url) => send('POST', `${session}/url`, { url }),
    run: async (call, ...values) => {
      const script = `const done = arguments[0];
        Promise.resolve().then(() => ${callText(call, values)}).then(
          (value) => done({ value }), (error) => done({ error: String(error) }));`;
      const { value, error } = await send('POST', `${session}/execute/async`, { script, args: [] });
      if (error) throw new Error(error);
      return value;
    },
    drag: (path) => send('POST', `${session}/actions`, { actions: mouseActions(path) }),
    picture: async () => Buffer.from(await send('GET', `${session}/screenshot`), 'base64'),
    close: async () => {
      await send('DELETE', session).catch(() => undefined);
      program.kill();
      await ended(program);
      await screen.close();
    },
  };
}
