/**
 * The host's page of a gateway before two owners with a real Valkey: it sees all servers, reaches
 * what is at the room's own, and drains that.
 */
import { FILES, pathOf } from '../../shared/host/api.ts';
import type { ClusterState } from '../../shared/host/state.ts';
import { lineagePath, lineagePicturePath, lineageSeedPath } from '../../shared/lineage.ts';
import { launchBrowser, leaveUnpainted } from '../support/browser.ts';
import { afterSuite } from '../support/closing.ts';
import { goTo, HostClient, signIn } from '../support/host-client.ts';
import { describeNeeding } from '../support/needs.ts';
import { SMALL } from '../support/organisms.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { hasValkey, ValkeyServer } from '../support/valkey.ts';
import { Visitor } from '../support/visitor.ts';

const ROOM = 'garden';
const ALWAYS = {
  on: true,
  days: Array(7).fill(null),
  outside: 'dim',
  farewell: false,
  restart: null,
};

const pause = (): Promise<void> => new Promise((wake) => setTimeout(wake, 200));

describeNeeding('Valkey', hasValkey)('the host page of a cluster', () => {
  const launch = async (url: string, role: string) => {
    const server = new ServerProcess(
      flagsOf({
        ...{ port: 0, host: '127.0.0.1', data: 'none', cluster: url, role, size: '96x64' },
        ...{ metrics: 'same', attract: 'off', energy: 'plant=0,damagePerCell=0' },
        ...SMALL,
      }),
    );
    afterSuite(() => server.end('SIGKILL'));
    return { server, port: await server.alive() };
  };

  test('it shows all servers, passes on what the room’s own has, and drains that', async () => {
    const valkey = await ValkeyServer.start();
    afterSuite(() => valkey.remove());
    const a = await launch(valkey.url, 'owner');
    const token = await a.server.hostToken();
    // One after the other: a busy machine makes Valkey seem away.
    const b = await launch(valkey.url, 'owner');
    const gateway = await launch(valkey.url, 'gateway');
    const browser = await launchBrowser();
    afterSuite(() => browser.close());
    const anna = await Visitor.join(gateway.port, ROOM, 'Anna');
    await anna.ask('plant', { x: 30, y: 30, seed: { from: 'gallery', index: 1 } });
    const births = () => anna.life.flatMap((one) => (one.what === 'born' ? [one.organism.id] : []));
    await anna.until(() => births().length > 0);
    const [organism] = births();

    const host = await HostClient.login(gateway.port, token);
    /** The servers, once they are as wanted. */
    const servers = async (isSo: (cluster: ClusterState) => boolean): Promise<ClusterState> => {
      for (;;) {
        const { cluster } = await host.call('state');
        if (cluster && isSo(cluster)) return cluster;
        await pause();
      }
    };
    const isConnected = ({ servers: all }: ClusterState): boolean =>
      all.length === 3 && all.some(({ viewers }) => viewers.length > 0);
    const all = await servers(isConnected);
    const owner = all.servers.find(({ rooms }) => rooms.length > 0)!;
    const ofGateway = all.servers.find(({ role }) => role === 'gateway')!;
    const other = all.servers.find((one) => one !== owner && one !== ofGateway)!;
    expect(all).toMatchObject({ own: ofGateway.name, current: true });
    expect(owner.rooms).toMatchObject([{ name: ROOM, kept: false }]);
    const [{ epoch }] = owner.rooms;
    expect(epoch).toBeGreaterThan(0);
    expect(ofGateway.viewers).toEqual([{ room: ROOM, connections: 1 }]);
    expect([ofGateway.rooms, other.rooms, other.viewers]).toEqual([[], [], []]);

    // What only the room's own server has.
    const url = `http://127.0.0.1:${gateway.port}`;
    const parts = { room: ROOM, organism };
    /** On a busy machine, a room's lease may end, so that it runs nowhere for a moment. */
    const got = async (ask: () => Promise<Response>): Promise<Response> => {
      for (;;) {
        const response = await ask();
        if (![409, 503].includes(response.status)) return response;
        await pause();
      }
    };
    const file = (path: string) => got(() => host.fetch(path));
    const open = (path: string) => got(() => fetch(url + path));
    const png = async (path: string): Promise<void> => {
      const response = await file(path);
      expect([path, response.status]).toEqual([path, 200]);
      const [, ...name] = Buffer.from(await response.arrayBuffer()).subarray(0, 4);
      expect(Buffer.from(name).toString()).toBe('PNG');
    };
    await png(pathOf(FILES.picture, parts));
    // Pictures of organisms are those of reports.
    await anna.ask('report', { organism });
    await png(pathOf(FILES.organism, parts));
    const tree = await (await open(lineagePath(ROOM))).json();
    expect(tree.organisms).toMatchObject([{ id: organism }]);
    const picture = await open(lineagePicturePath(ROOM, organism));
    expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/png']);
    expect(await (await open(lineageSeedPath(ROOM, organism))).json()).toHaveProperty('token');
    const bundle = await file(pathOf(FILES.replayBundle, parts));
    expect((await bundle.arrayBuffer()).byteLength).toBeGreaterThan(100);
    expect((await file(pathOf(FILES.statistics, parts))).status).toBe(200);
    // Somebody who is not signed in sees none of this, and what is not there is not there.
    expect((await fetch(url + pathOf(FILES.picture, parts))).status).toBe(401);
    expect((await file(pathOf(FILES.organism, { ...parts, organism: 99 }))).status).toBe(404);
    // Without a wall it says 503, and null where it does not know.
    const alive = async () => (await fetch(`${url}/wall/${ROOM}/alive`)).json();
    for (;;) {
      const { wall } = await alive();
      if (wall === false) break;
      expect(wall).toBeNull();
    }

    // A film of what is in Valkey, made by the room's own server.
    const begin = () => host.call('timelapse', { kind: 'gif', seconds: 1, from: 0 });
    const { id: job } = await begin().catch(begin);
    const isMade = async (): Promise<boolean> =>
      (await host.call('state')).jobs.some((one) => one.id === job && one.state !== 'going');
    while (!(await isMade())) await pause();
    expect((await host.call('state')).jobs).toMatchObject([{ id: job, state: 'done' }]);
    expect((await host.fetch(pathOf(FILES.frame, { job, frame: 0 }))).status).toBe(200);
    const film = await host.fetch(pathOf(FILES.job, { job }));
    expect(Buffer.from(await film.arrayBuffer()).toString('latin1', 0, 4)).toBe('GIF8');
    await host.call('stopJob', {}, { job });

    // Hours count on every server at once.
    const atOwner = new HostClient(a.port);
    // The session of one server holds at all.
    Object.assign(atOwner, { cookie: host.cookie, key: host.key });
    const isDim = async (): Promise<boolean> => (await atOwner.call('state')).dim;
    await host.call('setSchedule', ALWAYS);
    while (!(await isDim())) await pause();
    await host.call('setSchedule', { ...ALWAYS, on: false });

    const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
    const page = await (await leaveUnpainted(context)).newPage();
    await signIn(page, gateway.port, token);
    await goTo(page, 'servers');
    const card = (name: string) => page.getByRole('article', { name });
    await card(other.name).getByText(`ready to take over: ${ROOM}`).waitFor();
    expect(await card(ofGateway.name).getByTestId('drain').count()).toBe(0);
    await card(owner.name).getByTestId('drain').click();
    await page.getByTestId('confirm').click();
    await card(owner.name).getByText('You can stop the server.').waitFor();
    await card(other.name).getByRole('rowheader', { name: ROOM }).waitFor();
    const moved = await servers(({ servers: now }) =>
      now.some(({ name, rooms }) => name === other.name && rooms.length === 1),
    );
    expect(moved.servers.find(({ name }) => name === owner.name)).toMatchObject({
      ...{ draining: true, rooms: [] },
    });
    // Nobody has been disconnected, and the room goes on.
    const { tick } = anna;
    await anna.until(() => anna.tick !== tick);
    expect(anna.heard.map(({ name }) => name)).not.toContain('disconnect');
    const isOther = (await atOwner.call('state')).cluster!.own === other.name;
    const { port } = isOther ? a : b;
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const found = Number(/^vivarium_lease_epoch\{room="garden"\} (\d+)$/m.exec(metrics)?.[1]);
    expect(found).toBeGreaterThan(epoch);
    expect(metrics).toMatch(/^vivarium_bus_latency_seconds [\d.e-]+$/m);

    // Nobody is left for the other one's rooms.
    await card(other.name).getByTestId('drain').click();
    await page.getByTestId('confirm').click();
    await page.getByText('No other server can take over the rooms of this server.').waitFor();
    expect(await card(other.name).getByTestId('undrain').count()).toBe(0);
    await card(owner.name).getByTestId('undrain').click();
    await card(owner.name).getByTestId('drain').waitFor();
    expect(await host.refusal('drain', {}, { server: 'nobody' })).toBe('no-such-server');
    expect((await fetch(`${url}${pathOf('/servers/x/drain')}`, { method: 'POST' })).status).toBe(
      401,
    );
    await a.server.end();
    await servers(({ servers: now }) => now.length === 2);
  });
});
