import { ResumeTokens } from '../../../../server/realtime/sessions/resume-tokens.ts';
import fc from '../../../support/property.ts';

const secret = Buffer.alloc(32, 7);

describe('passes', () => {
  test('identify their participant, also after a restart, and are unique', () => {
    const before = new ResumeTokens(secret, 'garden');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0xffffffff }), (participant) => {
        const pass = before.issue(participant);
        expect(before.issue(participant)).not.toBe(pass);
        expect(pass.length).toBeLessThanOrEqual(64);
        expect(new ResumeTokens(Buffer.from(secret), 'garden').read(pass)).toBe(participant);
      }),
    );
  });

  test('are good neither in another room, nor at another server, nor with a bit changed', () => {
    const pass = new ResumeTokens(secret, 'garden').issue(5);
    expect(new ResumeTokens(secret, 'meadow').read(pass)).toBeUndefined();
    expect(new ResumeTokens(Buffer.alloc(32, 8), 'garden').read(pass)).toBeUndefined();
    const bytes = Buffer.from(pass, 'base64url');
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] ^= 1 << (bit & 7);
      expect(
        new ResumeTokens(secret, 'garden').read(changed.toString('base64url')),
      ).toBeUndefined();
    }
  });

  test('nothing that strangers make up is one', () => {
    const resumeTokens = new ResumeTokens(secret, 'garden');
    fc.assert(
      fc.property(fc.string({ maxLength: 64, unit: 'binary' }), (text) => {
        expect(resumeTokens.read(text)).toBeUndefined();
      }),
    );
  });
});
