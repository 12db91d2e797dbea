import { DeviceMarks } from '../../../../server/realtime/sessions/device-marks.ts';
import { ResumeTokens } from '../../../../server/realtime/sessions/resume-tokens.ts';
import { COMMANDS } from '../../../../shared/protocol/commands.ts';
import fc from '../../../support/property.ts';

const secret = Buffer.alloc(32, 7);

describe('device marks', () => {
  test('are recognised after a restart, and are unique', () => {
    const marks = new DeviceMarks(secret);
    const [one, two] = [marks.issue(), marks.issue()];
    expect(marks.read(one)).not.toBe(marks.read(two));
    expect(new DeviceMarks(Buffer.from(secret)).read(one)).toBe(marks.read(one));
    expect(COMMANDS.join.entries.mark.wrapped.pipe[1].requirement).toBeGreaterThanOrEqual(
      one.length,
    );
  });

  test('are invalid on another server and with a bit changed; a resume token is no mark', () => {
    const marks = new DeviceMarks(secret);
    const mark = marks.issue();
    expect(new DeviceMarks(Buffer.alloc(32, 8)).read(mark)).toBeUndefined();
    expect(marks.read(new ResumeTokens(secret, 'garden').issue(5))).toBeUndefined();
    expect(new ResumeTokens(secret, 'garden').read(mark)).toBeUndefined();
    const bytes = Buffer.from(mark, 'base64url');
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] ^= 1 << (bit & 7);
      expect(marks.read(changed.toString('base64url'))).toBeUndefined();
    }
    fc.assert(
      fc.property(fc.string({ maxLength: 64, unit: 'binary' }), (text) => {
        expect(marks.read(text)).toBeUndefined();
      }),
    );
  });
});
