/** Characters of a text's id that pages carry: the other eleven would be 2 kB of each page. */
export const SHORT_ID = 6;
