/** Pictures that may not come: their place stays empty, without a broken one in it. */

export function blank({ target }: Event): void {
  (target as HTMLImageElement).classList.add('failed');
}

export function shown({ target }: Event): void {
  (target as HTMLImageElement).classList.remove('failed');
}
