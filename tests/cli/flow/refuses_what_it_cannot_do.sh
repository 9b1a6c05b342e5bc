# Wrong options are usage; a folder without frames is a failure that says where it looked.
fails 2 'opencv' i3d flow a b --preset nonsense
fails 2 'median' i3d flow a b --median 9
fails 1 "'no such'" i3d flow 'no such' b
mkdir empty
fails 1 '--from-videos' i3d flow empty b
fails 1 "'median' is 4" i3d flow empty b --median 4
mkdir -p videos/class
echo 'this is no video' >videos/class/bad.avi
fails 1 'bad.avi' i3d flow --from-videos videos out
grep -q bad.avi out/failures.csv
[ -z "$(ls out/class 2>/dev/null)" ]
