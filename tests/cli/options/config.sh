# A config file is read beneath the command line, and a bad one is refused with its name.
echo '{"json": true}' >config.json
i3d doctor --json >wanted || [ $? = 1 ]
i3d doctor --config config.json >got || [ $? = 1 ]
cmp wanted got
i3d doctor --no-json --config config.json >got || [ $? = 1 ]
grep -q '^cores: ' got
echo '{"jsno": true}' >config.json
fails 2 "config 'config.json': no option is called 'jsno'; did you mean 'json'?" \
    "$I3D" doctor --config config.json
fails 2 "'missing.json'" "$I3D" doctor --config missing.json
fails 2 '--config needs a value: --config FILE' "$I3D" doctor --config
