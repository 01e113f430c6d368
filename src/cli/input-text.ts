import { readText } from '../config/reading/read-text.ts'

/** More than any body that the daemon would take in. */
const LARGEST_INPUT = 1024 * 1024 * 1024

export type InputText =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string }

/** Reads a file, or standard input where it is named `-`. Never rejects. */
export async function readInputText(file: string): Promise<InputText> {
  if (file !== '-') {
    const read = readText(file, LARGEST_INPUT)
    return read.ok ? read : { ok: false, reason: `cannot read ${file}: ${read.reason}` }
  }
  try {
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(await Bun.stdin.bytes()) }
  } catch {
    return { ok: false, reason: 'what comes on standard input is not UTF-8 text' }
  }
}
