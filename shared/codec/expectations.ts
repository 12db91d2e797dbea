/** Made by `npm run bench -- expectations`: log-odds of each context's bits in the standard garden, two hexadecimal digits each. */
export const EXPECTATIONS = '';
