rule unix_script {
  meta:
    code = "script-content"
    place = "outside-text"
    text = "the first line of a Unix script"
  strings:
    $shebang = /#! ?\/(bin|usr\/bin|usr\/local\/bin|sbin)\/[a-z]{2}/
  condition:
    $shebang
}

rule unix_command {
  meta:
    code = "script-content"
    place = "outside-text"
    text = "commands of a Unix shell that fetch and run something, or open a way in"
  strings:
    $fetch = /(curl|wget) [^\n\x00|]{4,200}\| ?(sudo )?(ba|z|da|k)?sh\b/
    $socket = />& ?\/dev\/(tcp|udp)\/[0-9a-z]/
    $listen = /\bn(c|cat) [^\n\x00]{0,80}-(e|c) ?\/bin\/(ba)?sh/
    $pipe = /mkfifo \/tmp\/[a-z0-9]{1,16}/
    $decode = /base64 (-d|--decode|-D) ?\| ?(ba|z|da)?sh\b/
  condition:
    any of them
}

rule windows_script {
  meta:
    code = "script-content"
    place = "outside-text"
    text = "calls of a Windows script"
  strings:
    $host = "WScript.Shell" ascii wide nocase
    $network = "MSXML2.XMLHTTP" ascii wide nocase
    $server = "MSXML2.ServerXMLHTTP" ascii wide nocase
    $stream = "ADODB.Stream" ascii wide nocase
    $files = "Scripting.FileSystemObject" ascii wide nocase
    $shell = "Shell.Application" ascii wide nocase
    $wmi = "winmgmts:" ascii wide nocase
    $encoded = /#@~\^[A-Za-z0-9+\/]{6}==/
    $scriptlet = /<scriptlet>|<job id=.{1,80}<script language/ nocase
    $application = "<hta:application" ascii wide nocase
    // What they are made of, however its name is put together.
    $object = /\b(CreateObject|GetObject|new ActiveXObject) ?\( ?["'][a-z]/ ascii wide nocase
  condition:
    any of them
}

rule windows_command {
  meta:
    code = "script-content"
    place = "outside-text"
    text = "commands of Windows that run something else"
  strings:
    $power = "powershell.exe" ascii wide nocase
    $register = "regsvr32.exe" ascii wide nocase
    $application = "mshta.exe" ascii wide nocase
    $interpreter = /(cmd|cmd\.exe|%comspec%) ?\/[ckq] {1,4}[a-z"'^@%]{3}/ ascii wide nocase
    $library = /rundll32(\.exe)? {1,4}[a-z0-9_%:\\.]{1,120},/ nocase
    $decode = "certutil -decode" ascii wide nocase
    $decode2 = "certutil.exe -decode" ascii wide nocase
    $fetch = "certutil -urlcache" ascii wide nocase
    $fetch2 = "certutil.exe -urlcache" ascii wide nocase
    $transfer = /bitsadmin(\.exe)? {1,4}\/(transfer|addfile)/ ascii wide nocase
    $task = /schtasks(\.exe)? {1,4}\/create/ ascii wide nocase
    $shadows = /vssadmin(\.exe)? {1,4}delete {1,4}shadows/ ascii wide nocase
    $process = /wmic {1,4}process {1,4}call {1,4}create/ ascii wide nocase
    $run = "\\Microsoft\\Windows\\CurrentVersion\\Run" ascii wide nocase
    $batch = /@echo off\r?\n/ nocase
    $formula = /[=+@-][ -~]{0,12}(cmd|rundll32|powershell|mshta)\|' ?[ -~]{1,200}'!/ nocase
    $event = /instance of {1,4}(CommandLineEventConsumer|ActiveScriptEventConsumer|__EventFilter)/ ascii wide nocase
  condition:
    any of them
}

rule powershell {
  meta:
    code = "script-content"
    place = "outside-text"
    text = "what PowerShell scripts are made of"
  strings:
    $encoded = "-EncodedCommand " ascii wide nocase
    $short = /(powershell|pwsh)(\.exe)?["']? [^\n\x00]{0,120}-e(nc|ncodedcommand|c)? {1,4}["']?[a-z0-9+\/]{24}/ nocase
    $policy = /-e(xecutionpolicy|p|xec) {1,4}bypass/ ascii wide nocase
    $expression = "Invoke-Expression" ascii wide nocase
    $alias = /\biex ?\(? ?\(?(new-object|irm |iwr |invoke-webrequest|invoke-restmethod|\[text\.encoding|\[system\.text)/ nocase
    $download = /\.Download(String|File|Data) ?\(["']/ ascii wide nocase
    $client = "New-Object Net.WebClient" ascii wide nocase
    $client2 = "New-Object System.Net.WebClient" ascii wide nocase
    $decode = "[Convert]::FromBase64String(" ascii wide nocase
    $decode2 = "[System.Convert]::FromBase64String(" ascii wide nocase
    $load = "[Reflection.Assembly]::Load" ascii wide nocase
    $load2 = "[System.Reflection.Assembly]::Load" ascii wide nocase
    $scanner = "amsiInitFailed" ascii wide nocase
    $defender = "Set-MpPreference -Disable" ascii wide nocase
  condition:
    any of them
}

rule python_command {
  meta:
    code = "script-content"
    place = "outside-text"
    text = "Python that runs what it is given"
  strings:
    $word = /python[23]?(\.\d{1,2})?(\.exe)? -c ["'](import|exec|from|__)/
    $exec = /\b(exec|eval)\((__import__\(|base64\.b64decode|zlib\.decompress|marshal\.loads|codecs\.decode|compile\()/
    $system = /__import__\(["'](os|subprocess|pty|socket)["']\)/
    $shell = /import (socket|os|subprocess)[,;][^\n\x00]{0,60}(subprocess|pty|socket)/
  condition:
    any of them
}

rule serialised_code {
  meta:
    code = "script-content"
    place = "outside-text"
    text = "a stored object that runs a program when it is loaded"
  strings:
    // Pickles of Python name the function that is called: posix.system, builtins.eval, …
    $named = /c(os|posix|nt|subprocess|builtins|__builtin__|pty|runpy)\n(system|popen|Popen|call|check_output|run|eval|exec|execfile|__import__|spawn)\n/
    $pushed = /\x8c[\x02-\x0b](os|posix|nt|subprocess|builtins|__builtin__|pty|runpy)\x94\x8c[\x03-\x0c](system|popen|Popen|call|check_output|run|eval|exec|execfile|__import__|spawn)\x94/
    // The first class of a stream of Java or .NET.
    $java = { AC ED 00 05 ( 73 | 75 ) 72 00 ?? ( 5B | 61 | 63 | 6A | 6F | 73 ) }
    $net = "AAEAAAD/////AQAAAAAAAAA"
  condition:
    any of them
}

rule web_script {
  meta:
    code = "script-content"
    place = "outside-text"
    text = "a script of a web page"
  strings:
    $element = /<script[ \t\r\n>][^\x00]{0,400}(eval ?\(|document\.|window\.|ActiveXObject|src ?=|location|fetch\(|XMLHttpRequest|function)/ nocase
    $address = /(href|src|action|formaction) ?= ?["']? ?(javascript|vbscript):/ nocase
    $handler = /<(svg|img|body|iframe|video|audio|details)[ \t\r\n\/][^>\x00]{0,200} ?on(load|error|begin|toggle|mouseover) ?= ?["']?[a-z]/ nocase
    $escaped = /\beval\((unescape|atob|function\(p,a,c,k,e|String\.fromCharCode)/
    $stylesheet = "urn:schemas-microsoft-com:xslt" nocase
  condition:
    any of them
}

rule web_page_with_script {
  meta:
    code = "script-content"
    place = "outside-text"
    text = "a web page or drawing with a script in it"
  strings:
    $begins = /<script[ \t\r\n>]/ nocase
    $ends = "</script" ascii nocase
  condition:
    all of them
}

rule web_shell {
  meta:
    code = "script-content"
    place = "outside-text"
    text = "a page that a web server would run"
  strings:
    $php = /<\?php[ \t\r\n][ -~\s]{12}/ nocase
    $short = /<\?= ?@?(\$_(GET|POST|REQUEST|COOKIE|SERVER)|(system|exec|shell_exec|passthru|eval) ?\()/
    $request = /(eval|assert|system|exec|passthru|shell_exec|popen) ?\( ?@?\$_(GET|POST|REQUEST|COOKIE|SERVER)\b/ nocase
    $asp = /<%@? ?(Page|Language|WebHandler)[ =][^%\x00]{0,80}(VBScript|JScript|C#|VB)/ nocase
    $evaluated = /<% ?(eval|execute|executeglobal)[ (]{1,2}request/ nocase
    $jsp = /<%@ ?page [^%\x00]{0,120}import ?=/ nocase
    $runtime = "Runtime.getRuntime().exec(" nocase
    $process = /new ProcessBuilder\(|System\.Diagnostics\.Process\.Start\(/
    $included = /<!--#(exec|include) (cmd|virtual|file) ?=/
  condition:
    any of them
}
