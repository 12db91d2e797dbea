/** A string in the browser's local storage. If storage is blocked, it lasts as long as the page. */
export class LocalStore {
  private word: string | null = null;

  constructor(private readonly key: string) {}

  read(): string | null {
    try {
      return localStorage.getItem(this.key) ?? this.word;
    } catch {
      return this.word;
    }
  }

  write(word: string): void {
    this.word = word;
    try {
      localStorage.setItem(this.key, word);
    } catch {}
  }
}
