/** The MQTT extension with a real broker: events go out, and calls come in by an operator's token. */
import { spawn, spawnSync } from 'node:child_process';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterTest, suiteFolder } from '../support/closing.ts';
import { HostClient } from '../support/host-client.ts';
import { testNeeding } from '../support/needs.ts';
import { flagsOf, ServerProcess } from '../support/process.ts';
import { freePort, says } from '../support/programs.ts';
import { PACE, startServer } from '../support/server.ts';
import { hostOf } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';
import { Changes } from '../support/waiting.ts';

const hasBroker = spawnSync('mosquitto', ['-h']).error === undefined;
const SHELL = { from: 'gallery', index: 105 } as const;

async function startBroker(): Promise<number> {
  const port = await freePort();
  const broker = spawn('mosquitto', ['-p', `${port}`]);
  afterTest(() => void broker.kill());
  await says(broker, broker.stderr, /running/);
  return port;
}

/** Hears all that the broker passes on. */
class Ear {
  readonly heard: { topic: string; text: string; retain: boolean }[] = [];
  private readonly changes = new Changes();

  constructor(readonly client: MqttClient) {
    client.on('message', (topic, bytes, { retain }) => {
      this.heard.push({ topic, text: bytes.toString(), retain });
      this.changes.changed();
    });
  }

  /** Waits for a message that has not been taken. */
  async next(topic: string): Promise<string> {
    const find = () => this.heard.findIndex((one) => one.topic === topic);
    await this.changes.until(() => find() >= 0);
    return this.heard.splice(find(), 1)[0].text;
  }

  async call(what: string, body: unknown, room = 'garden'): Promise<unknown> {
    await this.client.publishAsync(`hall/${room}/do/${what}`, JSON.stringify(body));
    return JSON.parse(await this.next(`hall/${room}/done/${what}`));
  }
}

testNeeding('Mosquitto', hasBroker)(
  'events reach the broker; its messages pause, plant and sense by the token, until that is revoked',
  async () => {
    const settings = { data: suiteFolder(), size: '160x96', attract: 'off', ...PACE };
    const before = await startServer(settings);
    const { token, id } = await (await hostOf(before)).call('makeToken', {
      ...{ name: 'Broker', role: 'operator' },
    });
    const hostToken = before.hostToken!;
    await before.close();

    const [broker, port] = [await startBroker(), await freePort()];
    const ear = new Ear(await connectAsync(`mqtt://127.0.0.1:${broker}`));
    afterTest(() => ear.client.endAsync());
    await ear.client.subscribeAsync('hall/#');
    // An old wish, which waits at the broker.
    await ear.client.publishAsync('hall/garden/do/farewell', '{}', { retain: true });
    const server = new ServerProcess(
      flagsOf({
        ...{ ...settings, port, host: '127.0.0.1' },
        extension: 'server/extensions/mqtt/mqtt.mjs',
      }),
      `export MQTT_URL=mqtt://127.0.0.1:${broker} MQTT_TOPIC=hall MQTT_TOKEN=${token} MQTT_API=http://127.0.0.1:${port}`,
    );
    await server.alive();
    const host = await HostClient.login(port, hostToken);
    expect(await ear.next('hall/status')).toBe('online');
    expect(JSON.parse(await ear.next('hall/garden/opened'))).toMatchObject({ width: 160 });

    const plant = { what: 'plant', x: 40, y: 40, seed: SHELL };
    expect(await ear.call('act', plant)).toEqual({});
    const born = JSON.parse(await ear.next('hall/garden/born'));
    expect(born.organism).toMatchObject({ id: 1, planter: { name: 'The house' } });
    expect(await ear.call('act', { ...plant, x: 1 })).toMatchObject({
      refused: { reason: 'off-grid' },
    });
    expect(await ear.call('act', { what: 'plant', x: 40 })).toMatchObject({ reason: 'bad-call' });
    await ear.call('presence', { x: 44, y: 40, strength: 1 });
    expect(JSON.parse(await ear.next('hall/garden/sensed'))).toMatchObject({ id: 1 });
    const ada = await Visitor.join(port, 'garden', 'Ada');
    expect(await ear.next('hall/garden/joined')).not.toContain('Ada');
    expect(await ear.call('pause', { paused: true })).toEqual({});
    await ada.until(() => ada.all('settings').at(-1)!.paused);
    ada.leave();
    expect(JSON.parse(await ear.next('hall/garden/figures'))).toHaveProperty('colour');
    // What the token may not do, and what is no call of a room.
    expect(await ear.call('ban', {})).toMatchObject({ reason: 'not-allowed' });
    expect(await ear.call('pause', {}, '..')).toMatchObject({ reason: 'unknown-call' });
    expect((await host.call('state')).rooms[0].farewell).toBe(false);
    await ear.client.publishAsync('hall/garden/do/pause', 'x'.repeat(20_000));
    expect(JSON.parse(await ear.next('hall/garden/done/pause'))).toEqual({ reason: 'too-large' });

    await host.call('revokeToken', {}, { token: id });
    expect(await ear.call('pause', { paused: false })).toMatchObject({ reason: 'wrong-token' });
    expect((await host.call('state')).rooms[0].settings.paused).toBe(true);
    await server.end();
    expect(await ear.next('hall/status')).toBe('offline');
  },
);
