/** A show's machine: sends and hears OSC over real datagrams. */

import { createSocket, type Socket } from 'node:dgram';
import {
  decodeOsc,
  encodeMessage,
  type OscArgument,
  type OscMessage,
} from '../../server/osc/osc-codec.ts';
import { Changes } from './changes.ts';

export class OscReceiver {
  readonly heard: OscMessage[] = [];
  private readonly changes = new Changes();

  private constructor(private readonly socket: Socket) {
    socket.on('message', (bytes) => {
      this.heard.push(...decodeOsc(bytes));
      this.changes.changed();
    });
  }

  static async open(): Promise<OscReceiver> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new OscReceiver(socket);
  }

  get port(): number {
    return this.socket.address().port;
  }

  send(port: number, address: string, ...args: OscArgument[]): void {
    this.raw(port, encodeMessage({ address, args }));
  }

  raw(port: number, bytes: Uint8Array): void {
    this.socket.send(bytes, port, '127.0.0.1');
  }

  /** The first message that fits, heard before or after this call. */
  async next(
    address: string,
    fits: (values: unknown[]) => boolean = () => true,
  ): Promise<unknown[]> {
    const find = (): unknown[] | undefined =>
      this.heard
        .filter((message) => message.address === address)
        .map(({ args }) => args.map(({ value }) => value))
        .find(fits);
    await this.changes.until(() => find() !== undefined);
    return find()!;
  }

  close(): void {
    this.socket.close();
  }
}
