import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'

const SOURCE = join(import.meta.dir, 'faulty-disk.c')

/** What fails, by the error that the system answers; `delayMs` is how long each sync takes. All absent: a good disk. */
export interface DiskFaults {
  readonly write?: 'EIO' | 'ENOSPC' | 'EROFS'
  readonly fsync?: 'EIO'
  readonly delayMs?: number
}

/** A disk under one database that fails on command, for a daemon that is started with `env`. */
export interface FaultyDisk {
  readonly env: Readonly<Record<string, string>>
  /** From now on this fails, and nothing else. */
  set(faults: DiskFaults): void
  /**
   * What a power cut does, once the daemon is gone: bytes that were written and not synced, or whose sync failed, are
   * zeros. Answers how many bytes were lost.
   */
  powerCut(): number
  [Symbol.dispose](): void
}

/** The compiler that makes it; null where there is none, or where nothing can be preloaded. */
export function compiler(): string | null {
  return process.platform === 'linux' ? (Bun.which('cc') ?? Bun.which('gcc') ?? Bun.which('clang')) : null
}

/** Compiles it, for the database at `path`. Throws when there is no compiler: see `compiler`. */
export function faultyDisk(path: string): FaultyDisk {
  const cc = compiler()
  if (cc === null) throw new Error('the faults of a disk need a C compiler on Linux: install gcc or clang')
  const folder = mkdtempSync(join(tmpdir(), 'refiner-sync-disk-'))
  const library = join(folder, 'faulty-disk.so')
  const made = Bun.spawnSync([cc, '-shared', '-fPIC', '-O1', '-o', library, SOURCE, '-ldl'])
  if (!made.success) throw new Error(`compiling ${SOURCE}: ${made.stderr.toString()}`)
  const control = join(folder, 'control')
  const journal = join(folder, 'journal')
  writeFileSync(journal, '')
  return {
    env: {
      LD_PRELOAD: library,
      FAULTY_DISK_PATH: path,
      FAULTY_DISK_CONTROL: control,
      FAULTY_DISK_JOURNAL: journal,
    },
    set({ write, fsync, delayMs = 0 }) {
      writeFileSync(control, `write=${errno(write)} fsync=${errno(fsync)} delay_us=${delayMs * 1000}`)
    },
    powerCut() {
      const lost = lostRanges(readFileSync(journal, 'utf8'))
      writeFileSync(journal, '')
      let bytes = 0
      for (const [file, ranges] of lost) bytes += wipe(file, ranges)
      return bytes
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function errno(name: keyof typeof constants.errno | undefined): number {
  return name === undefined ? 0 : constants.errno[name]
}

/** From the first byte to the one behind the last. */
type Range = readonly [from: number, to: number]

interface Unsynced {
  /** Written, and not yet synced; with how many writes there were before. */
  dirty: (readonly [range: Range, number: number])[]
  writes: number
  /** Of each thread that syncs, how many writes there were when it began. */
  begun: Map<number, number>
  /** A sync of it failed: the system takes it for clean, and no later sync writes it. */
  forgotten: Range[]
}

/** What never reached the disk, by file. The index beside the -wal is made anew at each start. */
function lostRanges(journal: string): Map<string, Range[]> {
  const files = new Map<string, Unsynced>()
  for (const line of journal.split('\n')) {
    const [kind, ...rest] = line.split(' ')
    if (kind === undefined || kind === '') continue
    const numbers = rest.splice(0, kind === 'W' ? 2 : 1).map(Number)
    const path = rest.join(' ')
    if (path.endsWith('-shm') || path.endsWith('(deleted)')) continue
    const file = files.get(path) ?? { dirty: [], writes: 0, begun: new Map(), forgotten: [] }
    files.set(path, file)
    take(file, kind, numbers)
  }
  return new Map(
    [...files].map(([path, { dirty, forgotten }]) => [
      path,
      [...dirty.map(([range]) => range), ...forgotten],
    ]),
  )
}

function take(file: Unsynced, kind: string, [first = 0, second = 0]: readonly number[]): void {
  switch (kind) {
    case 'W': {
      const written: Range = [first, first + second]
      file.forgotten = file.forgotten.flatMap((range) => without(range, written))
      file.dirty.push([written, file.writes])
      file.writes += 1
      return
    }
    case 'B':
      file.begun.set(first, file.writes)
      return
    case 'S':
    case 'F': {
      const begun = file.begun.get(first) ?? 0
      const isCovered = ([, number]: readonly [Range, number]) => number < begun
      if (kind === 'F') file.forgotten.push(...file.dirty.filter(isCovered).map(([range]) => range))
      file.dirty = file.dirty.filter((one) => !isCovered(one))
      return
    }
    case 'T': {
      const cut: Range = [first, Infinity]
      file.dirty = file.dirty.flatMap(([range, number]) =>
        without(range, cut).map((left) => [left, number] as const),
      )
      file.forgotten = file.forgotten.flatMap((range) => without(range, cut))
      return
    }
    default:
      throw new Error(`the journal of the disk has a line of kind ${kind}`)
  }
}

function without([from, to]: Range, [cutFrom, cutTo]: Range): Range[] {
  const left: Range[] = [
    [from, Math.min(to, cutFrom)],
    [Math.max(from, cutTo), to],
  ]
  return left.filter(([start, end]) => start < end)
}

function wipe(path: string, ranges: readonly Range[]): number {
  if (ranges.length === 0) return 0
  const fd = openSync(path, 'r+')
  try {
    let bytes = 0
    for (const [from, to] of ranges) bytes += writeSync(fd, new Uint8Array(to - from), 0, to - from, from)
    return bytes
  } finally {
    closeSync(fd)
  }
}
