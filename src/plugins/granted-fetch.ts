/** The largest body that a plugin may send or receive, in bytes. */
const LARGEST_BODY = 1024 * 1024

interface FetchRequest {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

/**
 * Fetches for a sandboxed plugin. `request` is a JSON text that `inside/confine.ts` wrote, and so is the answer read there.
 * Throws an Error whose message is for the plugin's author: for a host that is not granted, a redirect, a body that is
 * too large, and whatever fetch throws.
 *
 * @param granted hosts as `api.example.com`, which means the port of the protocol, or `localhost:9000`
 */
export async function grantedFetch(
  request: string,
  granted: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const { url, method, headers, body }: FetchRequest = JSON.parse(request)
  const target = grantedUrl(url, granted)
  if (Object.keys(headers).some((name) => name.toLowerCase() === 'host')) {
    throw new Error('fetch: the header host cannot be set')
  }
  if (body !== null && body.length > LARGEST_BODY) throw new Error('fetch: the body is longer than 1 MB')
  const response = await fetch(target, { method, headers, body, signal, redirect: 'manual' })
  if (response.status >= 300 && response.status < 400 && response.headers.has('location')) {
    await response.body?.cancel()
    throw new Error(`fetch: ${target.host} answered with a redirect, and redirects are not followed`)
  }
  const text = await limitedText(response)
  return JSON.stringify({ status: response.status, headers: Object.fromEntries(response.headers), text })
}

function grantedUrl(text: string, granted: readonly string[]): URL {
  if (!URL.canParse(text)) throw new Error('fetch: the first argument is not a URL')
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error('fetch: only http and https')
  if (url.username !== '' || url.password !== '')
    throw new Error('fetch: the URL must hold no user or password')
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  const names = new Set([url.host.toLowerCase(), `${url.hostname.toLowerCase()}:${port}`])
  if (!granted.some((host) => names.has(host.toLowerCase()))) {
    throw new Error(`fetch: ${url.host} is not in \`permissions.net\` of this plugin in refiner-sync.yaml`)
  }
  return url
}

async function limitedText(response: Response): Promise<string> {
  if (response.body === null) return ''
  const chunks: Uint8Array[] = []
  let bytes = 0
  // Leaving the loop by throwing cancels the body.
  for await (const chunk of response.body) {
    bytes += chunk.byteLength
    if (bytes > LARGEST_BODY) throw new Error('fetch: the answer is longer than 1 MB')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
