import { renderSVG } from 'uqr';

export interface DevelopmentCode {
  readonly name: string;
  readonly payload: string;
  readonly kind: string;
  readonly network: string;
  readonly merchantId: string;
  readonly scenario: string;
}

const PLAYS: Readonly<Record<string, string>> = {
  ok: 'Everybody says yes.',
  declined: 'The wallet refuses: the payment ends DECLINED.',
  refused: 'The network refuses: the hold is released, the payment ends FAILED.',
  slow: 'The payer is asked for a password: a few seconds.',
  'lost-reply': 'The network accepts, but its answer is lost on the way.',
  'capture-fails-once': "The wallet's first capture fails and is tried again.",
  'duplicate-notifications': 'Each notification comes three times.',
};

const STYLE = `
  :root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 3rem auto; padding: 0 1.5rem; }
  h1 { margin-bottom: 0 } h2 { margin-top: 3rem }
  nav a { margin-right: 1.5rem }
  .codes { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1.25rem; }
  .code { border: 1px solid var(--line); border-radius: .75rem; padding: 1rem; }
  .code svg { width: 100%; height: auto; border-radius: .25rem; background: white; }
  .code h3 { margin: .75rem 0 0; } .code p { margin: .25rem 0 .75rem; opacity: .75; min-height: 3em; }
  textarea { width: 100%; box-sizing: border-box; font: 12px/1.4 ui-monospace, monospace; border: 1px solid var(--line);
    border-radius: .4rem; padding: .5rem; resize: vertical; background: transparent; color: inherit; }
  label { display: block; margin: 1rem 0 .25rem; font-weight: 600; }`;

/** The page for a person at a development machine: pictures to scan, tokens to paste, links to follow. */
export function developmentPage(codes: readonly DevelopmentCode[], tokens: Readonly<Record<string, string>>): string {
  const links = ['/', '/graphql', '/dev/tokens', '/dev/codes', '/dev/books', '/health/ready', '/metrics'];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sojourn on this machine</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Sojourn</h1>
<p>One graph, four subgraphs, two simulated outside systems, all on this machine. Nothing here moves real money.</p>
<nav>${links.map((link) => `<a href="${link}">${link}</a>`).join('')}</nav>
<h2>Codes</h2>
<p>Each stands on the counter of a shop; what the outside world plays there differs.</p>
<div class="codes">${codes.map(card).join('')}</div>
<h2>Tokens</h2>
<p>Send one as <code>Authorization: Bearer …</code>; in the Sandbox, under Headers.</p>
${Object.entries(tokens).map(field).join('')}
</body>
</html>
`;
}

function card(code: DevelopmentCode): string {
  return `<div class="code">${renderSVG(code.payload, { border: 2, ecc: 'M' })}
<h3>${escaped(code.name)}</h3>
<p><b>${escaped(code.scenario)}</b> ${escaped(PLAYS[code.scenario] ?? '')}</p>
<textarea readonly rows="3" aria-label="What the code of ${escaped(code.name)} says">${escaped(code.payload)}</textarea></div>`;
}

function field([who, token]: [string, string]): string {
  return `<label for="${escaped(who)}">${escaped(who)}</label>
<textarea id="${escaped(who)}" readonly rows="4">${escaped(token)}</textarea>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
