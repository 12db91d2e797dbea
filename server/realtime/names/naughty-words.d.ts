/**
 * Declares the words of the `naughty-words` package, by language code. The package ships no types.
 */
declare module 'naughty-words' {
  const lists: Readonly<Record<string, readonly string[]>>;
  export default lists;
}
