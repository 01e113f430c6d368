import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LoadPlan, LoadResult } from './load/plan.ts'

/** Everything that is measured, and all that it is measured with, runs in a process of its own. */

const PROGRAMS = join(import.meta.dir, 'programs')

/** A program that listens on loopback. */
export interface Running {
  readonly url: string
  readonly pid: number
  /** From the moment when it was started to the one when it said where it listens. */
  readonly startMs: number
  /** Ends it at once, and removes what it left. */
  stop(): Promise<void>
}

/** A folder under the system's temporary one, which must be on a real disk for the figures to mean anything. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'refiner-sync-bench-'))
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

/** Starts a program of `bench/programs` by its name. */
export function startProgram(name: string, ...args: string[]): Promise<Running> {
  return startListening([process.execPath, join(PROGRAMS, `${name}.ts`), ...args])
}

/** Starts any command that prints the URL at which it listens. Rejects with what it printed when it ends instead. */
export async function startListening(command: readonly string[], cleanUp = () => {}): Promise<Running> {
  const start = performance.now()
  const child = Bun.spawn([...command], { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' })
  const reader = child.stdout.getReader()
  const decoder = new TextDecoder()
  let text = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) {
      cleanUp()
      throw new Error(`${command.join(' ')} did not start: ${text}`)
    }
    text += decoder.decode(value, { stream: true })
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0]
    if (url === undefined) continue
    const startMs = performance.now() - start
    void drain(reader)
    return {
      url,
      pid: child.pid,
      startMs,
      async stop() {
        child.kill('SIGKILL')
        await child.exited
        cleanUp()
      },
    }
  }
}

/** Runs a program of `bench/programs` to its end; answers the JSON that it printed. */
export async function runProgram<Result>(name: string, argument: object): Promise<Result> {
  const command = [process.execPath, join(PROGRAMS, `${name}.ts`), JSON.stringify(argument)]
  const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
  if (child.exitCode !== 0) throw new Error(`${name} failed: ${errors.trim().slice(-2000)}`)
  return JSON.parse(output) as Result
}

/** Puts load on a server from a process of its own. */
export function runLoad(plan: LoadPlan): Promise<LoadResult> {
  return runProgram('load', plan)
}

/** What nobody reads would fill the pipe and stop the program. */
async function drain(reader: { read(): Promise<{ done: boolean }> }): Promise<void> {
  while (!(await reader.read()).done);
}
