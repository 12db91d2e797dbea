/** A connection to Valkey comes back, however it was lost. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { ValkeyConnection } from '../../../server/cluster/valkey-connection.ts';
import { type Clock, pause, systemClock } from '../../../server/platform/clock.ts';
import { describeNeeding } from '../../support/needs.ts';
import { hasValkey, ValkeyServer } from '../../support/valkey.ts';

describeNeeding('Valkey', hasValkey)('a connection', () => {
  test('comes back after a new one was taken, and what makes it ready was lost', async () => {
    const valkey = await ValkeyServer.start();
    let isLosing = false;
    let lost = 0;
    const open = new Set<Socket>();
    const proxy = createServer((socket) => {
      open.add(socket.on('error', () => {}));
      if (isLosing) {
        lost++;
        return;
      }
      const inner = connect(valkey.port, '127.0.0.1').on('error', () => {});
      socket.pipe(inner).pipe(socket);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    const connection = await ValkeyConnection.open(`redis://127.0.0.1:${port}`, systemClock);
    isLosing = true;
    for (const one of open) one.destroy();
    while (lost === 0) await pause(systemClock, 20);
    isLosing = false;
    for (let isUp = false; !isUp; await pause(systemClock, 20)) {
      isUp = await connection.ask('PING').then(
        () => true,
        () => false,
      );
    }
    connection.close();
    for (const one of open) one.destroy();
    proxy.close();
    await valkey.remove();
  });

  test('counts an answer that arrived while this process stood still', async () => {
    const valkey = await ValkeyServer.start();
    let haste = 1;
    const clock: Clock = {
      ...systemClock,
      after: (delay, call) => systemClock.after(delay / haste, call),
    };
    const connection = await ValkeyConnection.open(valkey.url, clock);
    // An answer may take 10 ms now.
    haste = 100;
    const answer = connection.ask('PING');
    await new Promise((resolve) => setImmediate(resolve));
    const begin = performance.now();
    while (performance.now() - begin < 50);
    expect(`${await answer}`).toBe('PONG');
    connection.close();
    await valkey.remove();
  });
});
