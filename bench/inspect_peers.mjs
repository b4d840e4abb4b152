// Runs @vercel/fs-detectors or @netlify/build-info over folders, one process for all; prints one JSON line for each.
// Arguments: vercel|netlify, rounds, then the folders. Times are the fastest round's, in milliseconds.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [peer, rounds, ...folders] = process.argv.slice(2)
const require = createRequire(`${process.cwd()}/package.json`)

async function vercel() {
  const { frameworkList } = require('@vercel/frameworks')
  const { detectFramework, LocalFileSystemDetector } = require('@vercel/fs-detectors')
  return async (folder) => {
    const fs = new LocalFileSystemDetector(folder)
    return { framework: await detectFramework({ fs, frameworkList, useExperimentalFrameworks: true }) }
  }
}

async function netlify() {
  const base = `${process.cwd()}/node_modules/@netlify/build-info/lib`
  const { Project } = await import(pathToFileURL(`${base}/index.js`))
  const { NodeFS } = await import(pathToFileURL(`${base}/node/index.js`))
  return async (folder) => {
    const fs = new NodeFS()
    fs.logger.debug = fs.logger.log = fs.logger.info = fs.logger.warn = fs.logger.error = () => {}
    const project = new Project(fs, folder, folder)
    const found = await project.detectFrameworks()
    const manager = await project.detectPackageManager()
    const first = found?.[0]
    return { framework: first?.id ?? null, package_manager: manager?.name ?? null, static_output: first?.build?.directory ?? null }
  }
}

const detect = await (peer === 'vercel' ? vercel() : netlify())
for (const folder of folders) {
  let fastest = Infinity
  let answer = {}
  for (let round = 0; round < Number(rounds); round += 1) {
    const start = performance.now()
    try {
      answer = await detect(folder)
    } catch (error) {
      answer = { error: String(error) }
    }
    fastest = Math.min(fastest, performance.now() - start)
  }
  console.log(JSON.stringify({ ...answer, ms: fastest }))
}
