/** Receivers of what a server sends besides pages: alerts over HTTP, OSC messages over UDP, and log lines. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Validator } from 'jsonschema';
import type { AlertMessage } from '../../server/operations/alerts.ts';
import {
  decodeOsc,
  encodeMessage,
  type OscArgument,
  type OscMessage,
} from '../../server/osc/osc-codec.ts';
import type { Log } from '../../server/platform/log.ts';
import { Changes } from './waiting.ts';

const schema = JSON.parse(readFileSync('server/deploy/alert.schema.json', 'utf8')) as object;

/** What is wrong with a message according to the schema. */
export const faultsOf = (message: unknown): string[] =>
  new Validator().validate(message, schema).errors.map(({ stack }) => stack);

export class AlertReceiver {
  readonly messages: AlertMessage[] = [];
  /** Of all messages, according to the schema. */
  readonly faults: string[] = [];
  /** Answers a request; by default with 204. */
  answer = (response: ServerResponse): void => {
    response.writeHead(204).end();
  };
  private readonly changes = new Changes();
  private readonly server = createServer(async (request, response) => {
    const message = JSON.parse(await text(request)) as AlertMessage;
    this.messages.push(message);
    this.faults.push(...faultsOf(message));
    this.answer(response);
    this.changes.changed();
  });

  static async open(): Promise<AlertReceiver> {
    const receiver = new AlertReceiver();
    receiver.server.listen(0, '127.0.0.1');
    await once(receiver.server, 'listening');
    return receiver;
  }

  /** With a secret in its path, as receivers have. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/secret`;
  }

  /** What it has heard, in short. */
  get heard(): string[] {
    return this.messages.map(({ state, alert, room = '', wall = '' }) =>
      [state, alert, room, wall].filter(Boolean).join(' '),
    );
  }

  /** Waits for a message. */
  async hears(short: string): Promise<AlertMessage> {
    await this.until(() => this.heard.includes(short));
    return this.messages[this.heard.indexOf(short)];
  }

  until(isSo: () => boolean): Promise<void> {
    return this.changes.until(isSo);
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }
}

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

export class LogRecorder implements Log {
  readonly lines: { readonly event: string; readonly sentence: string }[] = [];
  private readonly changes = new Changes();

  readonly info = (event: string, sentence: string): void => this.take(event, sentence);
  readonly warn = this.info;
  readonly error = this.info;

  has(event: string, part = ''): boolean {
    return this.lines.some((line) => line.event === event && line.sentence.includes(part));
  }

  /** Waits for such a line. */
  until(event: string, part = ''): Promise<void> {
    return this.changes.until(() => this.has(event, part));
  }

  private take(event: string, sentence: string): void {
    this.lines.push({ event, sentence });
    this.changes.changed();
  }
}
