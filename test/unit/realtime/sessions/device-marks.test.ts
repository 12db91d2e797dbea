import { DeviceMarks, ResumeTokens } from '../../../../server/realtime/sessions/signed-tokens.ts';
import { COMMANDS } from '../../../../shared/protocol/commands.ts';

const secret = Buffer.alloc(32, 7);

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
