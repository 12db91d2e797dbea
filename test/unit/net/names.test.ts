import { cleanName, createNameCheck } from '../../../server/net/names.ts';

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
