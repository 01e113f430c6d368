import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'

/** What a figure depends on besides the program. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  readonly kernel: string
  readonly bun: string
}

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    kernel: release(),
    bun: Bun.version,
  }
}

/** A busy machine's figures say little, and their ratios little more: what one waits for, the other may not. */
const BUSY_SHARE = 0.5

/** How many processes wanted a core within the last minute, and whether that leaves too few for a measurement. */
export function loadNow(): { readonly load: number; readonly busy: boolean } {
  const load = Math.round(loadavg()[0]! * 10) / 10
  return { load, busy: load > cpus().length * BUSY_SHARE }
}

/** Whether figures of both can be set side by side. */
export function areAlike(one: Machine, other: Machine): boolean {
  return one.cpu === other.cpu && one.cores === other.cores && one.memoryGb === other.memoryGb
}

/** The commit that is measured, short, with `+` where the files differ from it; `unknown` outside a repository. */
export function commitHere(): string {
  const git = (...args: string[]) => {
    const { stdout, success } = Bun.spawnSync(['git', ...args], { cwd: join(import.meta.dir, '..') })
    return success ? stdout.toString().trim() : null
  }
  const commit = git('rev-parse', '--short', 'HEAD')
  if (commit === null) return 'unknown'
  return git('status', '--porcelain', '--', 'src', 'bench', 'package.json') === '' ? commit : `${commit}+`
}
