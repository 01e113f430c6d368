/**
 * The daemon as `serve` runs it, but on a clock that can be hastened: `hastened-daemon.ts CONFIG SPEED`. SIGUSR2 has its clock
 * run SPEED times as fast as time does, with all that waits for it; the next one lets it run at its own pace again.
 */
import { startDaemon } from '../../src/daemon.ts'
import { createLog } from '../../src/observe/log.ts'
import { loadProject } from '../../src/project.ts'
import { hastenedClock } from '../hastened-clock.ts'

const [file, speed] = process.argv.slice(2)
const clock = hastenedClock()
let isHastened = false
process.on('SIGUSR2', () => {
  isHastened = !isHastened
  clock.run(isHastened ? Number(speed) : 1)
})
const project = await loadProject(file!, process.env)
if (!project.ok) throw new Error(project.mistakes.map(({ message }) => message).join('; '))
const { configuration, plugins } = project
const daemon = await startDaemon({ configuration, plugins, clock, log: createLog('error', false) })
console.log(daemon.url)
