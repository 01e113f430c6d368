/** Why there was no answer, in plain words, by the reason that a client gave. */
export function connectionWords(said: string): string {
  if (/did not answer/.test(said)) return 'it does not answer in time'
  if (/ENOTFOUND|EAI_AGAIN|DNS/i.test(said)) return 'its name is not found (DNS)'
  if (/CERT|TLS|SSL|SELF_SIGNED|ALTNAME/i.test(said)) return 'its certificate is not trusted'
  if (/refused/i.test(said)) return 'nothing listens there'
  return 'there is no connection'
}
