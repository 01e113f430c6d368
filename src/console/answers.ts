/** An answer of the operator's API; never to be kept by anything in between. */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', ...headers },
  })
}

/** What was asked for cannot be done; `message` says why. */
export function refusal(status: 400 | 403 | 404 | 409 | 500 | 503, message: string): Response {
  return json({ message }, status)
}

/** There is no such route. */
export function notFound({ method, url }: Request): Response {
  const message = `there is no ${method} ${new URL(url).pathname.slice(0, 100)} here`
  return json({ success: false, message }, 404)
}
