/** Stands for the host where the request names none that could be one. */
const NOWHERE = 'http://localhost'
/** Scheme and host, and all slashes but one: a path that begins with two would be read as a host. */
const AUTHORITY = /^(?:https?:\/\/[^/?#]*)?\/*/i

/**
 * The URL of a request. Its Host header is the client's, who may write anything there: then `url` is relative, or one that
 * cannot be read. Never throws.
 */
export function requestUrl({ url }: Request): URL {
  return URL.parse(url) ?? URL.parse(url.replace(AUTHORITY, '/'), NOWHERE) ?? new URL(NOWHERE)
}
