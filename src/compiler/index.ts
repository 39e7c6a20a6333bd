export { type CompileOptions, type CompileTarget, compileContract, compileTargets } from './compile.ts'
export { guardRules } from './guard-rules.ts'
