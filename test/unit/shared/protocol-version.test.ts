import { FRAME_VERSION } from '../../../shared/codec/frame.ts';
import { PROTOCOL_VERSION } from '../../../shared/protocol/reasons.ts';

test('the protocol version rises with the frame version', () => {
  // Pages ask for the room by the protocol version only. One that is still open after an update is
  // told to reload only if that has risen; otherwise it cannot read a single frame. So when you
  // change one of these, raise the protocol version too, and then write both here.
  expect({ frames: FRAME_VERSION, protocol: PROTOCOL_VERSION }).toEqual({
    frames: 1,
    protocol: 1,
  });
});
