import { connectionWords } from '../clients/connection-words.ts'
import { faultName } from '../clients/http-post.ts'

/** Why asking the daemon gave nothing that can be read, in plain words, by what was thrown. */
export function whyNoAnswer(error: unknown): string {
  if (error instanceof SyntaxError) return 'what answers there is no refiner-sync'
  const fault = faultName(error)
  if (fault === 'TimeoutError') return 'it takes too long'
  if (/redirect/i.test(fault)) return 'it redirects to elsewhere'
  const words = connectionWords(fault)
  return words === 'nothing listens there' ? words : `${words} (${fault})`
}
