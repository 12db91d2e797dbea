import { RoomEncoders } from '../../../../server/realtime/streaming/room-encoders.ts';
import type { TickResult } from '../../../../server/world/room.ts';
import { View } from '../../../../shared/codec/frame-encoder.ts';
import { copyPlanes, equalPlanes } from '../../../support/compare.ts';
import { GROWN, HandRoom } from '../../../support/rooms.ts';

const user = { mayReceive: true, lists: [], useSource: () => {} };

test.each([1, 2])(
  'a channel that opens while a tick runs shows the tick before, at scale %i',
  (scale) => {
    const hand = new HandRoom();
    const { planes } = hand.room.grid;
    const encoders = new RoomEncoders(planes, 0);
    const follow = ({ tick, changed }: TickResult): void => encoders.follow(tick, changed);
    hand.plant(10, 10);
    for (let i = 0; i < GROWN + 5; i++) follow(hand.tick());
    for (const change of [() => hand.damage([10, 10], 3), () => hand.plant(25, 11)]) {
      // Nobody has looked for so long that nothing is kept.
      for (let i = 0; i < 50; i++) follow(hand.tick());
      const before = copyPlanes(planes);
      change();
      let during = before;
      let seen = before;
      const result = hand.tick(() => {
        if (during === before) {
          during = copyPlanes(planes);
          seen = copyPlanes(encoders.use({ tier: 'full', scale }, user).encoder.seen);
        }
        return 255;
      });
      expect(equalPlanes(new View(during, scale).planes, new View(before, scale).planes)).toBe(
        false,
      );
      expect(equalPlanes(seen, new View(before, scale).planes)).toBe(true);
      follow(result);
      const { view } = encoders.use({ tier: 'full', scale }, user).encoder;
      expect(equalPlanes(view.planes, new View(planes, scale).planes)).toBe(true);
      encoders.leave({ tier: 'full', scale }, user);
    }
  },
);
