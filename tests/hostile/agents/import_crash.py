# outcome 'import failed' with file and line
import ctypes
ctypes.string_at(0)
