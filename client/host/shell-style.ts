/** Layout of the host's page: a sidebar and a column; on a phone a header, a column and a bar. */
import { css } from 'lit';
import { brand } from '../style/fragments.ts';

/** Styles of `vivarium-host`. */
export const shellStyle = css`
  ${brand}
  :host {
    --card: oklch(0.195 0.011 225);
    --well: oklch(0.155 0.009 228);
    --edge: oklch(0.92 0.02 210 / 0.2);
    --foot: 0px;
    position: fixed;
    inset: 0;
    display: grid;
    grid-template: minmax(0, 1fr) auto / minmax(0, 1fr);
    background: var(--bench);
    font-size: 15px;
  }
  @media (min-width: 2400px) and (min-height: 1300px) {
    :host {
      font-size: 21px;
    }
  }
  @media (min-width: 3400px) and (min-height: 1900px) {
    :host {
      font-size: 28px;
    }
  }
  .login {
    overflow: auto;
    background: radial-gradient(ellipse 60% 50% at 50% 42%, oklch(0.2 0.018 200), var(--bench));
  }
  .shell {
    grid-template-columns: 15.5em minmax(0, 1fr);
    min-height: 0;
  }
  header {
    display: flex;
    flex-direction: column;
    gap: 18px;
    padding: 22px 14px max(16px, env(safe-area-inset-bottom));
    padding-inline-start: max(14px, var(--safe-start));
    background: oklch(0.165 0.01 227);
    border-inline-end: 1px solid var(--line);
    overflow-y: auto;
  }
  h1 {
    margin-inline-start: 0.95em;
  }
  .foot {
    margin-top: auto;
    gap: 6px;
  }
  .health {
    justify-items: start;
    gap: 8px;
    padding: 0 0.95em;
  }
  .sign-out {
    gap: 0.85em;
    padding: 0 0.95em;
    border-radius: 14px;
    text-align: start;
  }
  host-nav .sign-out,
  host-nav host-language {
    display: none;
  }
  main {
    container-type: size;
    overflow: auto;
  }
  /* Takes the focus only so that screen readers announce the new section. */
  main:focus-visible {
    outline: none;
  }
  .page {
    max-width: 78em;
    padding: 30px 34px 80px;
    margin: 0 auto;
  }
  .page[data-section='watch'] {
    max-width: none;
    min-height: 100%;
    padding: 22px 24px;
  }
  .offline {
    gap: 14px;
    max-width: none;
    padding: 12px 34px;
    background: oklch(0.3 0.05 28);
    position: sticky;
    top: 0;
    z-index: 2;
  }
  .offline svg {
    flex: none;
    color: var(--alarm);
  }
  .trouble {
    display: none;
    padding: 10px 16px;
    border-bottom: 1px solid var(--line);
  }
  @media (max-width: 860px) {
    :host {
      --foot: calc(4.5em + env(safe-area-inset-bottom));
    }
    .shell {
      grid-template: auto minmax(0, 1fr) / minmax(0, 1fr);
    }
    header {
      flex-direction: row;
      align-items: center;
      justify-content: space-between;
      gap: 12px;
      padding: max(8px, env(safe-area-inset-top)) 14px 8px;
      border-inline-end: 0;
      border-bottom: 1px solid var(--line);
      overflow: visible;
    }
    h1 {
      margin-inline-start: 2px;
    }
    .room {
      min-width: 8em;
      max-width: 55%;
    }
    .foot {
      display: none;
    }
    .trouble {
      display: block;
    }
    host-nav {
      position: fixed;
      z-index: 4;
      inset: auto 0 0;
      background: oklch(0.175 0.01 227);
      border-top: 1px solid var(--line);
    }
    host-nav host-language {
      display: block;
    }
    host-nav .sign-out {
      display: flex;
      width: 100%;
      gap: 0.9em;
      padding: 0 0.9em;
      min-height: 3.2em;
    }
    .page,
    .page[data-section='watch'] {
      padding: 18px 14px calc(var(--foot) + 24px);
    }
    .offline {
      padding: 12px 16px;
    }
  }
`;
