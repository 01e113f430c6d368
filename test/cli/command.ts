import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { until } from '../support/loop.ts'
import { type Ran, runHere } from '../support/in-process.ts'
import { PROGRAM } from '../support/process.ts'

/** A folder with files for commands to work on, removed when it is disposed of. */
export interface CommandFolder extends Disposable {
  readonly path: string
  write(name: string, content: unknown): void
  read(name: string): Promise<string>
  /** Runs a command of the program there, to its end; as a process of its own only where it reads standard input. */
  run(args: readonly string[], options?: { env?: Record<string, string>; stdin?: string }): Promise<Ran>
}

/** Settings for the one tenant `acme`; its secrets stand in the file, so that no variable is needed. */
export const ACME = `
tenants:
  acme:
    refiner: { api_key: acme-refiner-key, webhook: { secret: acme-webhook-secret } }
    segment: { write_key: acme-write-key, region: us, destination_keys: [acme-destination-key] }
`

export function commandFolder(files: Readonly<Record<string, unknown>> = {}): CommandFolder {
  const path = mkdtempSync(join(tmpdir(), 'refiner-sync-command-'))
  const write = (name: string, content: unknown) => {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), typeof content === 'string' ? content : JSON.stringify(content))
  }
  for (const [name, content] of Object.entries(files)) write(name, content)
  return {
    path,
    write,
    read: (name) => Bun.file(join(path, name)).text(),
    async run(args, { env = {}, stdin } = {}) {
      if (stdin === undefined) return runHere(args, path, env)
      const child = Bun.spawn([...PROGRAM, ...args], {
        cwd: path,
        env: { PATH: process.env['PATH'] ?? '', ...env },
        stdin: new Blob([stdin]),
        stdout: 'pipe',
        stderr: 'pipe',
      })
      const [stdout, stderr, code] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ])
      return { code, stdout, stderr }
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  }
}

/** A command that runs on a terminal, with somebody who reads and types. */
export interface OnTerminal extends Disposable {
  /** Waits until the terminal has shown the text since the last one that was waited for. */
  shown(text: string): Promise<void>
  type(text: string): void
  /** The exit code, once it has ended. */
  readonly ended: Promise<number>
  /** All that it has shown. */
  output(): string
}

export function onTerminal(
  args: readonly string[],
  folder: string,
  env: Record<string, string> = {},
): OnTerminal {
  let output = ''
  let seen = 0
  const decoder = new TextDecoder()
  const child = Bun.spawn([...PROGRAM, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color', ...env },
    terminal: {
      cols: 200,
      rows: 50,
      data(_terminal, data) {
        output += decoder.decode(data, { stream: true })
      },
    },
  })
  return {
    async shown(text) {
      await until(() => output.includes(text, seen))
      seen = output.indexOf(text, seen) + text.length
    },
    type: (text) => child.terminal!.write(text),
    ended: child.exited,
    output: () => output,
    [Symbol.dispose]() {
      child.kill('SIGKILL')
      child.terminal?.close()
    },
  }
}
