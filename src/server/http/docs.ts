type Json = Readonly<Record<string, unknown>>

/** The description as one page: no script, no font, no request to anywhere. */
export function docsPage(description: Json): string {
  const { title, version, description: about } = object(description['info'])
  const operations = Object.entries(object(description['paths'])).flatMap(([path, methods]) =>
    Object.entries(object(methods)).map(([method, operation]) => section(method, path, object(operation))),
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)} ${escapeHtml(version)}</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1f;background:#fff}
code,pre{font:14px/1.45 ui-monospace,monospace}pre{background:#f4f4f6;padding:.75rem;overflow:auto;border-radius:6px}
h2{margin-top:2.5rem;font-size:1.1rem}h2 b{display:inline-block;min-width:4.5rem;color:#0b57d0}
.plane{font-size:.8rem;border:1px solid #888;border-radius:1rem;padding:0 .5rem;margin-left:.4rem}
details{margin:.4rem 0}summary{cursor:pointer}
@media(prefers-color-scheme:dark){body{color:#e6e6ea;background:#17171a}pre{background:#232327}h2 b{color:#8ab4f8}}
</style></head><body>
<h1>${escapeHtml(title)} ${escapeHtml(version)}</h1><p>${escapeHtml(about)}</p>
<p>The same as a file: <a href="/openapi.json">openapi.json</a>.</p>
${operations.join('\n')}
${detail('Problem: every denial and failure', object(object(description['components'])['schemas'])['Problem'])}
</body></html>
`
}

function section(method: string, path: string, operation: Json): string {
  const planes = list(operation['tags']).map((plane) => `<span class="plane">${escapeHtml(plane)}</span>`)
  const body = Object.entries(object(object(operation['requestBody'])['content'])).map(([type, media]) =>
    detail(`Body, ${type}`, object(media)['schema']),
  )
  const answers = Object.entries(object(operation['responses'])).flatMap(([status, answer]) =>
    Object.entries(object(object(answer)['content'])).map(([type, media]) =>
      detail(`${status}, ${type}: ${String(object(answer)['description'])}`, object(media)['schema']),
    ),
  )
  const parameters = list(operation['parameters'])
  return `<section id="${escapeHtml(operation['operationId'])}">
<h2><b>${escapeHtml(method.toUpperCase())}</b> <code>${escapeHtml(path)}</code>${planes.join('')}</h2>
<p>${escapeHtml(operation['summary'])}</p>
${parameters.length > 0 ? detail('Parameters', parameters) : ''}${body.join('')}${answers.join('')}</section>`
}

function detail(title: string, schema: unknown): string {
  return `<details><summary>${escapeHtml(title)}</summary><pre>${escapeHtml(JSON.stringify(schema, null, 2))}</pre></details>`
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {}
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function escapeHtml(value: unknown): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return String(value ?? '').replace(/[&<>"]/g, (character) => names[character] ?? '')
}
