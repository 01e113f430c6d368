/** The user name of `Authorization: Basic`, where Segment and Refiner carry a key; null when there is none. */
export function basicUser(headers: Headers): string | null {
  const encoded = credentials(headers, 'basic')
  if (encoded === null) return null
  const [user] = Buffer.from(encoded, 'base64').toString().split(':')
  return user === undefined || user === '' ? null : user
}

/** The token of `Authorization: Bearer`; null when there is none. */
export function bearerToken(headers: Headers): string | null {
  return credentials(headers, 'bearer')
}

function credentials(headers: Headers, scheme: string): string | null {
  const [presentedScheme, value] = (headers.get('authorization') ?? '').split(' ')
  return presentedScheme?.toLowerCase() === scheme && value ? value : null
}
