import { resolve } from 'node:path'
import { readDatabaseAddress } from '../config/database-address.ts'
import { runDatabaseTask } from '../store/database-thread.ts'
import { type CommandContext, EXIT, type ExitCode } from './context.ts'
import { describeContents, describeProblems, failureText } from './inspection.ts'
import { counted } from './refused-configuration.ts'

/** Checks a database file and says what is in it; fails when something is wrong. */
export async function verify(
  { config, file, json }: { config: string; file: string | null; json: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const stopping = new AbortController()
  void context.stopped.then(() => stopping.abort(new Error('stopped')))
  try {
    const path = file === null ? readDatabaseAddress(config, context.environment) : resolve(file)
    if (context.terminal && !json) context.print(`checking ${path} …`)
    const result = await runDatabaseTask({ kind: 'inspect', path, unchanging: false }, stopping.signal)
    if (!result.ok) throw new Error(result.why)
    const { problems, contents } = result.inspection!
    const ok = problems.length === 0
    if (json) context.print(JSON.stringify({ ok, file: path, problems, contents }, null, 2))
    else {
      context.print(`${path}: ${ok ? 'good' : counted(problems.length, 'problem')}`)
      if (contents !== null) for (const line of describeContents(contents)) context.print(line)
      for (const line of describeProblems(problems)) context.print(line)
    }
    return ok ? EXIT.ok : EXIT.failure
  } catch (error) {
    const message = failureText(error)
    if (json) context.print(JSON.stringify({ ok: false, error: message }, null, 2))
    else context.printError(`not checked: ${message}`)
    return EXIT.failure
  }
}
