import { resolve } from 'node:path'
import { readDatabaseAddress } from '../config/database-address.ts'
import { backUp, type BackupProgress } from '../store/backup.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import { describeContents, describeProblems, failureText, inBytes } from './inspection.ts'

export interface BackupCommand {
  readonly config: string
  readonly file: string
  readonly force: boolean
  readonly json: boolean
}

/** Copies the database to a file and says what is in the copy. */
export async function backup(
  { config, file, force, json }: BackupCommand,
  context: CommandContext,
): Promise<ExitCode> {
  const stopping = new AbortController()
  void context.stopped.then(() => stopping.abort(new Error('stopped; nothing was written')))
  const shown = context.terminal && !json
  try {
    const path = readDatabaseAddress(config, context.environment)
    const { inspection, bytes } = await backUp({
      path,
      to: resolve(file),
      force,
      signal: stopping.signal,
      onProgress: (progress) => shown && showProgress(progress),
    })
    if (shown) clearLine()
    if (json) {
      context.print(JSON.stringify({ ok: true, file: resolve(file), bytes, ...inspection }, null, 2))
      return EXIT.ok
    }
    context.print(`${file}: a whole copy of ${path}, ${inBytes(bytes)}, checked`)
    for (const line of describeContents(inspection.contents!)) context.print(line)
    for (const line of describeProblems(inspection.problems)) context.print(line)
    return EXIT.ok
  } catch (error) {
    if (shown) clearLine()
    const message = failureText(error)
    if (json) context.print(JSON.stringify({ ok: false, error: message }, null, 2))
    else context.printError(`no backup: ${message}`)
    return EXIT.failure
  }
}

function showProgress({ doing, written, whole }: BackupProgress): void {
  const part = Math.min(1, whole === 0 ? 1 : written / whole)
  const bar = '━'.repeat(Math.round(part * 30)).padEnd(30, '·')
  const text = doing === 'copying' ? `${inBytes(written)} of at most ${inBytes(whole)}` : 'checking the copy'
  process.stdout.write(`\r\u001B[K${bar} ${text}`)
}

function clearLine(): void {
  process.stdout.write('\r\u001B[K')
}
