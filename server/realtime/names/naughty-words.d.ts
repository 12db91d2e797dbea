/** Declares types for the `naughty-words` package. Words are listed by language. */
declare module 'naughty-words' {
  const lists: Readonly<Record<string, readonly string[]>>;
  export default lists;
}
