/** Declares the types of the package, which has none: for each language, a list of words. */
declare module 'naughty-words' {
  const lists: Readonly<Record<string, readonly string[]>>;
  export default lists;
}
