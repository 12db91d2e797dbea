/** A word that this browser keeps for a visitor. Some browsers refuse storage: then it lasts as long as the page. */
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
