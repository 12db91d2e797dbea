/** The gateways that clients connect to, and what they share with the room's server. */
import { SettingsError } from '../../server/settings/command-line.ts';
import { hasValkey, ValkeyServer } from '../support/valkey.ts';
import { Child } from './child.ts';
import type { GatewayWindow } from './gateway-process.ts';
import type { GatewayPlan, GatewayQuestion } from './messages.ts';

type Settings = GatewayPlan['settings'];

export class Gateways {
  private constructor(
    private readonly valkey: ValkeyServer,
    private readonly children: Child<GatewayQuestion, never>[] = [],
  ) {}

  /** Starts what they share. @throws SettingsError there is no Valkey on this machine */
  static async prepare(): Promise<Gateways> {
    if (!hasValkey) {
      throw new SettingsError(
        '--gateways needs valkey-server. Install it (Debian: apt install valkey-server).',
      );
    }
    return new Gateways(await ValkeyServer.start());
  }

  /** Of every server. */
  get settings(): Settings {
    return { cluster: this.valkey.url };
  }

  /**
   * @param cores as `taskset -c` takes them; undefined: any
   * @returns their addresses
   */
  async start(count: number, settings: Settings, cores: string | undefined): Promise<string[]> {
    const plan: GatewayPlan = { settings: { ...settings, role: 'gateway' } };
    for (let i = 0; i < count; i++) {
      this.children.push(Child.start('./gateway-process.ts', plan, cores));
    }
    const ports = await Promise.all(this.children.map((child) => child.ask<number>('port')));
    return ports.map((port) => `http://127.0.0.1:${port}`);
  }

  async begin(): Promise<void> {
    await Promise.all(this.children.map((child) => child.ask('begin')));
  }

  end(): Promise<GatewayWindow[]> {
    return Promise.all(this.children.map((child) => child.ask<GatewayWindow>('end')));
  }

  async stop(): Promise<void> {
    await Promise.all(this.children.map((child) => child.stop()));
    await this.valkey.remove();
  }
}
