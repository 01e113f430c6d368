/** Base URLs of Segment and Refiner, as the file gives them. */
export type Endpoint =
  | { readonly ok: true; readonly url: string; readonly insecure: boolean }
  /** `problem` completes "the endpoint …" and never repeats the text, which may hold a password. */
  | { readonly ok: false; readonly problem: string; readonly hint: string }

/** Reads a base URL: without a path it gets `/v1`, and slashes at its end go. */
export function parseEndpoint(text: string): Endpoint {
  const parsed = parsePublicUrl(text)
  if (!parsed.ok) return parsed
  return { ...parsed, url: new URL(parsed.url).pathname === '/' ? `${parsed.url}/v1` : parsed.url }
}

/** Reads a URL that paths are put behind: slashes at its end go. */
export function parsePublicUrl(text: string): Endpoint {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return refused(
      'must be a URL that starts with https:// or http://',
      'such as `https://api.example.com/v1`',
    )
  }
  if (url.username !== '' || url.password !== '') {
    return refused('must not hold a user name or password', 'the keys have settings of their own')
  }
  if (/[?#]/.test(text))
    return refused('must not hold a query (`?`) or fragment (`#`)', 'keep the part before it')
  const path = url.pathname.replace(/\/+$/, '')
  return { ok: true, url: url.origin + path, insecure: isInsecure(url) }
}

function isInsecure({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && !/^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}

function refused(problem: string, hint: string): Endpoint {
  return { ok: false, problem, hint }
}
