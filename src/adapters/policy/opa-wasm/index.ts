export { dataBytesMax, openWasmPolicy, type WasmPolicyOptions } from './opa-wasm.ts'
