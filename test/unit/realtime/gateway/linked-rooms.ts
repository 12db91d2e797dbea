/** Two gateways of one owner's room, over a bus that may lose messages, for tests. */
import type { Bus } from '../../../../server/cluster/bus/bus.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { LocalBus } from '../../../support/local-bus.ts';
import { arrived, Gateway, Owner } from '../../../support/remote-rooms.ts';

/** A bus whose messages a test counts and loses. */
export class LossyBus extends LocalBus {
  loses: (channel: string) => boolean = () => false;
  readonly sizes: number[] = [];

  override publish(...[channel, message]: Parameters<Bus['publish']>): void {
    this.sizes.push(message.length);
    if (!this.loses(channel)) super.publish(channel, message);
  }
}

/** @returns them, once all links are open */
export async function startLinked() {
  const clock = new FakeClock();
  const bus = new LossyBus();
  const owner = await Owner.start(bus, { clock });
  const [a, b] = [new Gateway(bus, clock, 'a'), new Gateway(bus, clock, 'b')];
  await arrived(clock);
  return { clock, bus, owner, a, b };
}
