/** Types for the `naughty-words` package, which ships none: words by language code. */
declare module 'naughty-words' {
  const lists: Readonly<Record<string, readonly string[]>>;
  export default lists;
}
