/** A web server that receives alerts, as a host's monitoring would, and checks them against the published schema. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Validator } from 'jsonschema';
import type { AlertMessage } from '../../server/operations/alert-monitor.ts';
import { Changes } from './changes.ts';

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
