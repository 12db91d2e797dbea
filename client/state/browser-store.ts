/**
 * A string in the browser's storage: `localStorage` for this browser, `sessionStorage` for this
 * tab, where a reload keeps it. If storage is blocked, the string lasts as long as the page.
 */
export class BrowserStore {
  private text: string | null = null;

  constructor(
    private readonly storage: 'localStorage' | 'sessionStorage',
    private readonly key: string,
  ) {}

  read(): string | null {
    try {
      return window[this.storage].getItem(this.key) ?? this.text;
    } catch {
      return this.text;
    }
  }

  write(text: string): void {
    this.text = text;
    try {
      window[this.storage].setItem(this.key, text);
    } catch {}
  }
}
