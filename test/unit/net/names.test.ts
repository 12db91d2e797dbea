import { cleanName, createNameCheck, hueOf } from '../../../server/net/names.ts';

describe('names', () => {
  test.each([
    [undefined, ''],
    ['  Ada \n Lovelace\t', 'Ada Lovelace'],
    ['\u202Eevil\u0000', 'evil'],
    ['Zoë 🌱', 'Zoë 🌱'],
    [`a${'\u0301\u0302\u0303\u0304'.repeat(9)}`.normalize('NFD'), 'á\u0302\u0303'],
    ['x'.repeat(99), 'x'.repeat(24)],
    ['\u200b\u200b', ''],
  ])('%p becomes %p', (given, cleaned) => {
    expect(cleanName(given)).toBe(cleaned);
  });

  test('neighbouring participants have hues far apart', () => {
    for (let id = 1; id < 50; id++) {
      const distance = Math.abs(hueOf(id) - hueOf(id + 1));
      expect(Math.min(distance, 360 - distance)).toBeGreaterThan(90);
    }
  });
});

describe('names that are not shown', () => {
  const mayShow = createNameCheck(['Blorp', 'blödmann', '...', 'дурак']);
  test.each([
    'fuck',
    'FuCkEr 99',
    'ʃṳ𝒸𝗄',
    'sh1t',
    'blorp',
    'b l o r p',
    'bloooorp',
    'BLÖDMANN',
    'der Blodman',
    'Дурачок и дурак',
  ])('%s', (name) => {
    expect(mayShow(cleanName(name))).toBe(false);
  });
  test.each([
    '',
    'Ada',
    'Zoë 🌱',
    'Grape',
    'Scunthorpe',
    'Cassandra',
    'Hitchcock',
    '李小龙',
    'Müller',
    'Class 4b',
  ])('%p is shown', (name) => {
    expect(mayShow(cleanName(name))).toBe(true);
  });
});
