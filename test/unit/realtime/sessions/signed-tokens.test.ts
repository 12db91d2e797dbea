import { DeviceMarks, ResumeTokens } from '../../../../server/realtime/sessions/signed-tokens.ts';
import { COMMANDS } from '../../../../shared/protocol/commands.ts';
import fc, { anyText, forAll } from '../../../support/property.ts';

const secret = Buffer.alloc(32, 7);

test('resume tokens tell their participant and place in line, also after a restart, and are unique', () => {
  const before = new ResumeTokens(secret, 'garden');
  const said = fc.record({
    participant: fc.integer({ min: 0, max: 0xffffffff }),
    since: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  });
  forAll(said, (said) => {
    const token = before.issue(said);
    expect(before.issue(said)).not.toBe(token);
    expect(token.length).toBeLessThanOrEqual(64);
    expect(new ResumeTokens(Buffer.from(secret), 'garden').read(token)).toEqual(said);
  });
});

test('they are invalid in another room, on another server, and with a bit changed', () => {
  const token = new ResumeTokens(secret, 'garden').issue({ participant: 5, since: 0 });
  expect(new ResumeTokens(secret, 'meadow').read(token)).toBeUndefined();
  expect(new ResumeTokens(Buffer.alloc(32, 8), 'garden').read(token)).toBeUndefined();
  const bytes = Buffer.from(token, 'base64url');
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] ^= 1 << (bit & 7);
    expect(new ResumeTokens(secret, 'garden').read(changed.toString('base64url'))).toBeUndefined();
  }
});

test('made-up tokens are invalid', () => {
  const resumeTokens = new ResumeTokens(secret, 'garden');
  forAll(anyText({ maxLength: 64 }), (text) => {
    expect(resumeTokens.read(text)).toBeUndefined();
  });
});

test('device marks are recognised after a restart, and are unique', () => {
  const marks = new DeviceMarks(secret);
  const [one, two] = [marks.issue(), marks.issue()];
  expect(marks.read(one)).not.toBe(marks.read(two));
  expect(new DeviceMarks(Buffer.from(secret)).read(one)).toBe(marks.read(one));
  expect(COMMANDS.join.entries.mark.wrapped.pipe[1].requirement).toBeGreaterThanOrEqual(one.length);
});

test('they are invalid on another server; marks and resume tokens cannot be confused', () => {
  const marks = new DeviceMarks(secret);
  const mark = marks.issue();
  expect(new DeviceMarks(Buffer.alloc(32, 8)).read(mark)).toBeUndefined();
  expect(
    marks.read(new ResumeTokens(secret, 'garden').issue({ participant: 5, since: 0 })),
  ).toBeUndefined();
  expect(new ResumeTokens(secret, 'garden').read(mark)).toBeUndefined();
});
