/** The most that an address can have, by RFC 5321, and then some. */
const LONGEST = 320
/** What is in its normal form already, which most are: no need to look further. */
const USUAL = /^[a-z0-9._+-]{1,100}@[a-z0-9.-]{1,100}$/
const ADDRESS = /^[^\s@]+@[^\s@]+$/

/**
 * An email as it is compared: without spaces around it and in small letters. Null when the value is none: what stands in
 * for an email that is not known, such as `n/a`, must not make one person of many.
 */
export function normalEmail(value: unknown): string | null {
  if (typeof value === 'string' && USUAL.test(value)) return value
  if (typeof value !== 'string' || value.length > 2 * LONGEST) return null
  const email = value.trim().toLowerCase().normalize('NFC').toWellFormed()
  return email.length <= LONGEST && ADDRESS.test(email) && !email.includes('\0') ? email : null
}
