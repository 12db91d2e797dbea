/**
 * Has the servers of a cluster count addresses together: each tells the others again and again what
 * its addresses have used. While no messages arrive, each counts alone.
 */
import * as v from 'valibot';
import { count } from '../../../shared/common-schemas.ts';
import { DEFAULTS } from '../../../shared/defaults.ts';
import type { Bus, Subscription } from '../../bus/bus.ts';
import { decodeMessage, encodeMessage } from '../../bus/bus-messages.ts';
import type { Clock } from '../../platform/clock.ts';
import type { AddressLimits } from './address-limits.ts';

const { every, most } = DEFAULTS.cluster.limits;
const CHANNEL = 'limits';

const address = v.pipe(v.string(), v.maxLength(64));
const list = <S extends v.GenericSchema>(item: S) => v.pipe(v.array(item), v.maxLength(most));

/** A `LimitReport`. */
const report = v.strictObject({
  /** Names the server. */
  node: address,
  taken: list(v.strictTuple([address, count, count, count])),
  open: list(v.strictTuple([address, count])),
  banned: list(address),
  lifted: list(address),
});

export interface SharedLimitsOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  /** Names this server. */
  readonly node: string;
  readonly addresses: Pick<AddressLimits, 'takeReport' | 'hear'>;
}

export class SharedLimits {
  private subscription: Subscription | undefined;
  private isClosed = false;
  private cancel: () => void;

  constructor(private readonly options: SharedLimitsOptions) {
    this.cancel = options.clock.after(every, this.tell);
    options.bus.subscribe(CHANNEL, this.hear).then(
      (subscription) => {
        if (this.isClosed) subscription.close();
        else this.subscription = subscription;
      },
      // The bus has been closed.
      () => {},
    );
  }

  /** Ends the reports, with one by which the others know that nobody is connected here. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.cancel();
    const { bus, node, addresses } = this.options;
    bus.publish(CHANNEL, encodeMessage({ node, ...addresses.takeReport(most), open: [] }));
    this.subscription?.close();
  }

  private readonly tell = (): void => {
    const { bus, clock, node, addresses } = this.options;
    this.cancel = clock.after(every, this.tell);
    bus.publish(CHANNEL, encodeMessage({ node, ...addresses.takeReport(most) }));
  };

  private readonly hear = (bytes: Uint8Array): void => {
    const { node, clock, addresses } = this.options;
    const heard = decodeMessage(report, bytes);
    if (heard && heard.node !== node) addresses.hear(heard.node, heard, clock.now());
  };
}
